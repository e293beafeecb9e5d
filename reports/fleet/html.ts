import {
  type Chart,
  type ChartSeries,
  linearScale,
  logarithmicScale,
  renderChart,
  renderLegend,
  tickName,
} from '../html/chart.ts';
import { type Html, html } from '../html/markup.ts';
import { statusIcon } from '../html/shapes.ts';
import { renderStatic } from '../html/shell.ts';
import { type FleetRecord, type MeansForecast, ninesFor } from './record.ts';
import {
  causeTitles,
  costHead,
  costRow,
  count,
  describeCost,
  describeEnds,
  fleetText,
  formatAvailability,
  formatBytes,
  formatDuration,
  formatNines,
  formatRate,
  outageHead,
  outageRow,
} from './text.ts';

const tones: Readonly<Record<string, ChartSeries['tone']>> = {
  nothing: 5,
  restart: 4,
  poll: 2,
  ordinary: 1,
  standby: 3,
  takeover: 6,
};

const toneOf = ({ name }: MeansForecast): ChartSeries['tone'] => tones[name] ?? 1;

/** Renders a forecast as one page without a script. */
export function renderFleet(record: FleetRecord): string {
  const { means } = record;
  const legend = renderLegend(means.map((one) => ({ name: one.title, tone: toneOf(one), as: 'line' })));
  return renderStatic({
    title: `Forecast · Rekindle ${record.runId}`,
    about: `forecast ${record.runId} · ${record.file}`,
    version: record.rekindle,
    main: html`${summary(record)}
<section><h2>Outages side by side</h2>${figures('Outages', outageHead, means.map(outageRow))}</section>
<section><h2>How long outages take</h2><p class="intro">For each duration, the share of outages that took longer: the further left and the lower, the better. An outage begins when the pod’s daemon stops answering and ends with the first good read; calls that wait count as one that fails.</p>${legend}<div class="charts">${tailChart(means)}${ninesChart(means)}</div></section>
<section><h2>What makes pods wait</h2><p class="intro">The mean time in which a pod cannot read, in a year, by the cause of the outage. A node upgrade drains pods in good order, so it is no outage.</p>${causeTable(means)}</section>
<section><h2>The API server</h2><p class="intro">Requests of the agents, or for pods that are replaced: the busiest second of each week. What the kubelets send for the daemons themselves is the same with every means, and is left out.</p>${legend}<div class="charts">${busiestChart('Requests a second, the busiest second of each week', means, 'requests')}${busiestChart('Events a second, the busiest second of each week', means, 'events')}</div></section>
<section><h2>API server and node</h2>${figures('Cost', costHead, means.map(costRow))}</section>
<section><h2>Where the figures come from</h2><table class="plain"><tbody>${record.sources.map(({ figure, source }) => html`<tr><th scope="row">${figure}</th><td>${source}</td></tr>`)}</tbody></table></section>
<details class="inner"><summary><span>As it was printed</span></summary><pre class="printed" tabindex="0">${fleetText(record).join('\n')}</pre></details>`,
  });
}

function summary(record: FleetRecord): Html {
  const { fleet, means, ends } = record;
  const ordinary = means.find(({ name }) => name === 'ordinary');
  const best = means.reduce((a, b) => (b.unavailability < a.unavailability ? b : a));
  const sentences = [...(ordinary ? [sentenceFor(ordinary)] : []), ...(best === ordinary ? [] : [sentenceFor(best)])];
  return html`<section class="verdict is-skipped">${statusIcon('skipped')}<div><h1>${count(fleet.nodes * fleet.podsPerNode)} pods on ${count(fleet.nodes)} nodes, ${fleet.days} days</h1>
<p class="lead">${sentences.join(' ')}</p>
<p class="how-real">A forecast, not a measurement · daemons ended: ${describeEnds(ends)} · ${describeCost(record)}</p></div></section>
<section><dl class="tiles">${means.map(tile)}</dl></section>`;
}

function sentenceFor({ title, downtimeMs, outagesMs }: MeansForecast): string {
  return `With ${title}, a pod cannot read for ${formatDuration(downtimeMs.mean)} in a year on average; half of the outages last at most ${formatDuration(outagesMs.p50)}, and one in 10,000 more than ${formatDuration(outagesMs.p9999)}.`;
}

function tile({ title, unavailability, outagesMs, node }: MeansForecast): Html {
  const stalls = outagesMs.count > 0 ? outagesMs.stalls / outagesMs.count : 0;
  return html`<div><dt>${title}</dt><dd><b>${unavailability > 0 ? `${formatNines(unavailability)} nines` : 'no outage'}</b><small>${formatAvailability(unavailability)} of the time${stalls > 0 && html`; ${(stalls * 100).toFixed(0)} % of outages only stall`}${node.memoryBytes > 0 && html`; ${formatBytes(node.memoryBytes)} a node`}</small></dd></div>`;
}

function figures(name: string, head: readonly string[], rows: readonly (readonly string[])[]): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${name}"><table class="plain figures"><thead><tr>${head.map((cell, i) => html`<th scope="col"${i > 0 && html` class="n"`}>${cell}</th>`)}</tr></thead><tbody>${rows.map(([title = '', ...cells]) => html`<tr><th scope="row">${title}</th>${cells.map((cell) => html`<td class="n">${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

function causeTable(means: readonly MeansForecast[]): Html {
  const causes = Object.keys(causeTitles).filter((cause) =>
    means.some(({ downtimeMs }) => (downtimeMs.meanByCause[cause] ?? 0) > 0),
  );
  const rows = means.map(({ title, downtimeMs }) => [
    title,
    ...causes.map((cause) => formatDuration(downtimeMs.meanByCause[cause] ?? 0)),
    formatDuration(downtimeMs.mean),
  ]);
  return figures('Causes', ['Recovered by', ...causes.map((cause) => causeTitles[cause] ?? cause), 'all'], rows);
}

/** Each decade of three: an axis from milliseconds to months has too many powers of ten for a narrow screen. */
function sparse(scale: Chart['x']): Chart['x'] {
  const step = Math.ceil(scale.ticks.length / 6);
  return { ...scale, ticks: scale.ticks.filter((_, index) => index % step === 0) };
}

function tailChart(means: readonly MeansForecast[]): Html | undefined {
  const known = means.filter(({ outagesMs }) => outagesMs.longer.length > 0);
  const all = known.flatMap(({ outagesMs }) => outagesMs.longer.map(([ms]) => ms));
  if (all.length === 0) return undefined;
  const [low, high] = [Math.max(0.01, Math.min(...all)), Math.max(...all)];
  const shares = [1, 0.1, 0.01, 0.001, 0.0001, 0.00001];
  return renderChart({
    title: 'Share of outages that took longer than …',
    says: known
      .map(
        ({ title, outagesMs }) =>
          `${title}: median ${formatDuration(outagesMs.p50)}, longest ${formatDuration(outagesMs.max)}`,
      )
      .join('. '),
    x: sparse(logarithmicScale(low, Math.max(high, low * 10), (ms) => tickName(formatDuration(ms)))),
    y: {
      from: 1e-5,
      to: 1,
      logarithmic: true,
      ticks: shares.map((at) => ({ at, name: `${Number((at * 100).toPrecision(3))} %` })),
    },
    legend: false,
    series: known.map((one) => ({
      name: one.title,
      tone: toneOf(one),
      as: 'line',
      points: one.outagesMs.longer.filter(([, share], i, list) => share > 0 || (list[i - 1]?.[1] ?? 0) > 0),
    })),
  });
}

/** How many pods are better than each number of nines. */
function ninesChart(means: readonly MeansForecast[]): Html {
  const yearMs = 365 * 86_400_000;
  const shares = [0.5, 0.9, 0.99, 0.999, 0.9999] as const;
  const quantiles = ['p50', 'p90', 'p99', 'p999', 'p9999'] as const;
  const points = means.map((one) =>
    quantiles.map((name, i) => [i, Math.min(9, ninesFor(one.downtimeMs[name] / yearMs))] as const),
  );
  return renderChart({
    title: 'Nines of a pod in a year: of the median pod to the unluckiest',
    says: means
      .map(
        (one, i) =>
          `${one.title}: median pod ${points[i]?.[0]?.[1].toFixed(1)} nines, unluckiest of 10,000 ${points[i]?.at(-1)?.[1].toFixed(1)}`,
      )
      .join('. '),
    x: {
      from: 0,
      to: shares.length - 1,
      ticks: shares.map((share, at) => ({ at, name: share === 0.5 ? 'median' : `1 in ${count(1 / (1 - share))}` })),
    },
    y: linearScale(Math.max(1, ...points.flat().map(([, nines]) => nines)), (value) => String(value)),
    legend: false,
    series: means.map((one, i) => ({ name: one.title, tone: toneOf(one), as: 'line', points: points[i] ?? [] })),
  });
}

function busiestChart(title: string, means: readonly MeansForecast[], what: 'requests' | 'events'): Html {
  const highest = Math.max(1, ...means.map(({ api }) => api[what].max));
  const weeks = Math.max(1, ...means.map(({ api }) => api[what].busiest.length - 1));
  return renderChart({
    title,
    says: means
      .map(
        ({ title: name, api }) => `${name}: p99.99 ${formatRate(api[what].p9999)}, most ${formatRate(api[what].max)}`,
      )
      .join('. '),
    x: {
      from: 0,
      to: weeks,
      ticks: [0, 0.25, 0.5, 0.75, 1].map((part) => ({
        at: part * weeks,
        name: `week ${Math.round(part * weeks) + 1}`,
      })),
    },
    y: logarithmicScale(1, Math.max(10, highest), (value) => count(value)),
    legend: false,
    series: means.map((one) => ({
      name: one.title,
      tone: toneOf(one),
      as: 'line',
      points: one.api[what].busiest.map((value, week) => [week, Math.max(1, value)] as const),
    })),
  });
}
