import { formatNs } from '../../src/timeline/duration.ts';
import { groupBy } from '../../src/timeline/group-by.ts';
import { count } from '../../src/timeline/verdict.ts';
import { type ChartSeries, renderLegend } from '../html/chart.ts';
import { type DurationSample, renderDistributions } from '../html/ecdf.ts';
import { type Html, html } from '../html/markup.ts';
import { statusIcon } from '../html/shapes.ts';
import { renderStatic } from '../html/shell.ts';
import type { SeriesChange } from './compare.ts';
import { formatMs, pacingText, readyNote, usageText } from './format.ts';
import {
  type BenchPhase,
  benchPhases,
  clockDisagreements,
  headline,
  isRecovered,
  phaseNs,
  phaseSamples,
} from './phases.ts';
import { type RatioTable, ratioTables } from './ratios.ts';
import type { ArmName, BenchRecord, BenchSeries } from './record.ts';
import { type Distribution, type Interval, minimumSamples, quantile, sortedCopy, summarize } from './statistics.ts';
import { benchText, comparisonText } from './text.ts';

/** Confidence of the intervals. */
const confidence = 0.95;

const tones: Readonly<Record<ArmName, ChartSeries['tone']>> = {
  agent: 1,
  rekindle: 3,
  standby: 3,
  takeover: 6,
  poll: 2,
  restart: 4,
  nothing: 5,
};

const isHeadline = ({ name }: BenchPhase) => name === headline.agent || name === headline.whole;
/** The headline phases first. */
const headlineFirst = [...benchPhases.filter(isHeadline), ...benchPhases.filter((phase) => !isHeadline(phase))];

/** Renders a benchmark as one page without a script: the distribution of each phase for all arms, and the figures. */
export function renderBench(record: BenchRecord): string {
  const points = [...groupBy(record.series, ({ id }) => id.replace(/(^|\/)[^/]*$/, ''))];
  return renderStatic({
    title: `Benchmark · Rekindle ${record.runId}`,
    about: `benchmark ${record.runId} · ${record.cluster}`,
    version: record.rekindle,
    main: html`${summary(record)}${points.map(([point, series]) => renderPoint(point, series))}${asPrinted(benchText(record))}`,
  });
}

/** Renders two benchmarks in one page: for each series, both distributions and a verdict for each phase. */
export function renderComparison(
  before: { readonly name: string; readonly record: BenchRecord },
  after: { readonly name: string; readonly record: BenchRecord },
  changes: readonly SeriesChange[],
  confidence: number,
): string {
  const worst = (['worse', 'cannot tell', 'better', 'same'] as const).find((one) =>
    changes.some(({ verdict }) => verdict === one),
  );
  const status = worst === 'worse' ? 'fail' : worst === 'cannot tell' || worst === undefined ? 'inconclusive' : 'pass';
  const words = { worse: 'Worse', better: 'Better', same: 'The same', 'cannot tell': 'Cannot tell' } as const;
  const main = html`<section class="verdict is-${status}">${statusIcon(status)}<div><h1>${worst ? words[worst] : 'Nothing to compare'}</h1>
<p class="lead">${changes.map(({ id, verdict, because }) => `${id}: ${verdict} (${because})`).join('; ')}.</p>
<p class="how-real">${before.name} (${before.record.runId}) → ${after.name} (${after.record.runId}) · each statement with a confidence of ${confidence * 100} %</p></div></section>
${changes.map((change) => renderChange(change, before.record, after.record))}${asPrinted(comparisonText(changes, confidence))}`;
  return renderStatic({
    title: 'Comparison · Rekindle',
    about: `${before.name} → ${after.name}`,
    version: after.record.rekindle,
    main,
  });
}

function summary(record: BenchRecord): Html {
  const phase = benchPhases.find(({ name }) => name === headline.agent);
  const agents = record.series.filter(({ arm }) => arm === 'agent');
  const crashes = record.series.reduce((sum, series) => sum + series.crashes.length, 0);
  const lost = agents.reduce((sum, { crashes: own }) => sum + own.filter((crash) => !isRecovered(crash)).length, 0);
  const status = record.interrupted || agents.length === 0 ? 'inconclusive' : lost > 0 ? 'fail' : 'pass';
  const sentences = agents.flatMap((series) => {
    const took = phase ? sortedCopy(phaseSamples(series.crashes, phase)) : [];
    if (took.length === 0) return [];
    const tail =
      took.length < minimumSamples(0.99, confidence)
        ? `slowest ${formatMs(quantile(took, 1))} ms`
        : `99 % within ${formatMs(quantile(took, 0.99))} ms`;
    return `${series.id}: the pod reads ${formatMs(quantile(took, 0.5))} ms after the daemon is back (median of ${took.length}; ${tail}).`;
  });
  const fakes = record.fidelity.parts.filter(({ fake }) => fake).map(({ part }) => part);
  return html`<section class="verdict is-${status}">${statusIcon(status)}<div><h1>${crashes} crashes, ${record.series.length} series</h1>
<p class="lead">${sentences.join(' ') || 'The pod did not read again.'}${lost > 0 && ` After ${lost} of them a pod had not read again in time.`}${record.interrupted && ' Interrupted: these are the crashes before that.'}</p>
<p class="how-real">${record.fidelity.place} · ${fakes.length > 0 ? `stand-ins: ${fakes.join(', ')}` : 'nothing stands in for anything else'} · ${record.machine.cpus} CPUs, kernel ${record.machine.kernel} · seed ${record.seed}</p></div></section>`;
}

function renderPoint(point: string, series: readonly BenchSeries[]): Html {
  const charts = headlineFirst.flatMap((phase) => {
    const samples = series.flatMap((one) => sampleOf(one, phase, one.title, tones[one.arm]));
    const chart = samples.some(({ took }) => took.length > 1) && renderDistributions(phase.says, samples, false);
    return chart ? [chart] : [];
  });
  return html`<section><h2>${point === '' ? 'By phase' : point}</h2>${ratioTables(series, confidence).map(renderRatios)}<p class="intro">For each duration, the share of crashes that took no longer.</p>${renderLegend(series.map(({ title, arm }) => ({ name: title, tone: tones[arm], as: 'step' })))}
<div class="charts">${charts}</div></section>
${series.map((one) => renderFigures(one))}`;
}

/** Arms that were measured in the same run: their ratios hold even if the times depend on the machine. */
function renderRatios({ point, head, rows }: RatioTable): Html {
  const cells = ([first = '', ...others]: readonly string[]) =>
    html`<th scope="row">${first}</th>${others.map((cell) => html`<td class="n">${cell}</td>`)}`;
  return html`<p class="intro">Side by side, in this run: medians in milliseconds, and their ratio to the agent’s.</p><div class="scroll beside" tabindex="0" role="group" aria-label="${point}side by side"><table class="plain figures"><thead><tr>${head.map((name, i) => html`<th scope="col"${i > 0 && html` class="n"`}>${i === 0 ? 'Recovered by' : name}</th>`)}</tr></thead><tbody>${rows.map((row, i) => html`<tr${i === 0 && html` class="goal"`}>${cells(row)}</tr>`)}</tbody></table></div>`;
}

/** If the pod did not read again after a crash, a phase that ends with a good read counts as endless. */
function sampleOf(series: BenchSeries, phase: BenchPhase, name: string, tone: ChartSeries['tone']): DurationSample[] {
  const took = series.crashes.flatMap((crash) => phaseNs(crash, phase) ?? []);
  const begun = series.crashes.filter(({ moments }) => phase.from === undefined || moments[phase.from] !== undefined);
  if (took.length === 0) return [];
  const ends = phase.to === 'readable' || phase.to === 'lastReadable';
  return [{ name, tone, took, ...(ends ? { of: begun.length } : {}) }];
}

function renderFigures(series: BenchSeries): Html {
  const { id, title, conditions, crashes, asked, warmUp, stopped } = series;
  const rows = benchPhases.flatMap((phase) => {
    const figures = summarize(phaseSamples(crashes, phase), confidence);
    return figures === undefined ? [] : [{ phase, figures }];
  });
  const errors = new Map<string, number>();
  for (const crash of crashes)
    for (const [errno, times] of Object.entries(crash.errors)) errors.set(errno, (errors.get(errno) ?? 0) + times);
  const { fault, pods, datasets, rate } = conditions;
  const longest = crashes.reduce((most, { longestStallNs }) => Math.max(most, longestStallNs), 0);
  return html`<section><h3>${id}: ${title}</h3><p class="intro">${new Set(crashes.map(({ crash }) => crash)).size} of ${asked} crashes (${fault}) after ${warmUp} to warm up; ${count(datasets, 'dataset')} with ${count(pods, 'pod')} each; probed ${rate} times a second; ${pacingText(conditions)}. Milliseconds, with 95 % confidence intervals if there are enough crashes.${stopped !== undefined && html` Stopped: ${stopped}`}${series.readyBy !== undefined && html` Note: ${readyNote}.`}${clockDisagreements(series).map((sentence) => html` Note: ${sentence}.`)}</p>
<div class="scroll" tabindex="0" role="group" aria-label="Figures of ${id}"><table class="plain figures"><thead><tr><th scope="col">Phase</th>${['min', 'p50', 'p90', 'p99', 'max', 'n'].map((name) => html`<th scope="col" class="n">${name}</th>`)}</tr></thead>
<tbody>${rows.map(({ phase, figures }) => figureRow(phase, figures))}</tbody></table></div>
<p class="facts"><span>read again <b>${crashes.filter(isRecovered).length} of ${crashes.length}</b></span>${[...errors].map(([errno, times]) => html`<span>${errno} <b>× ${times}</b></span>`)}<span>longest stall <b>${formatNs(longest)}</b></span>${usageText(series) && html`<span>agent ${usageText(series)}</span>`}${series.mountLines && html`<span>mount lines <b>${series.mountLines.before} → ${series.mountLines.after}</b></span>`}</p></section>`;
}

function figureRow(phase: BenchPhase, { min, p50, p90, p99, max, count, intervals }: Distribution): Html {
  const between = (interval: Interval | undefined) =>
    interval && html`<small> (${formatMs(interval.low)}…${formatMs(interval.high)})</small>`;
  return html`<tr${isHeadline(phase) && html` class="goal"`}><th scope="row">${phase.says}</th><td class="n">${formatMs(min)}</td><td class="n">${formatMs(p50)}${between(intervals.p50)}</td><td class="n">${formatMs(p90)}${between(intervals.p90)}</td><td class="n">${formatMs(p99)}${between(intervals.p99)}</td><td class="n">${formatMs(max)}</td><td class="n">${count}</td></tr>`;
}

function renderChange({ id, title, recovered, phases }: SeriesChange, before: BenchRecord, after: BenchRecord): Html {
  const [old, now] = [before, after].map(({ series }) => series.find((one) => one.id === id));
  if (old === undefined || now === undefined) return html``;
  const charts = phases.flatMap(({ phase }) => {
    const chart = renderDistributions(phase.says, [
      ...sampleOf(old, phase, 'before', 2),
      ...sampleOf(now, phase, 'after', 1),
    ]);
    return chart ? [chart] : [];
  });
  const signed = (value: number) => `${value > 0 ? '+' : ''}${formatMs(value)}`;
  return html`<section><h2>${id}: ${title}</h2><p class="intro">Read again: ${recovered[0]} before, ${recovered[1]} after. For each duration, the share of crashes that took no longer.</p><div class="charts">${charts}</div>
<div class="scroll" tabindex="0" role="group" aria-label="What has changed in ${id}"><table class="plain figures"><thead><tr><th scope="col">Phase</th>${['p50', 'p90'].map((name) => html`<th scope="col" class="n">${name} before</th><th scope="col" class="n">after</th><th scope="col" class="n">difference</th>`)}<th scope="col">Verdict</th></tr></thead><tbody>${phases.map(
    ({ phase, p50, p90, verdict }) =>
      html`<tr><th scope="row">${phase.says}</th>${[p50, p90].map(
        (figure) =>
          html`<td class="n">${formatMs(figure.before)}</td><td class="n">${formatMs(figure.after)}</td><td class="n">${signed(figure.after - figure.before)}${figure.difference && html`<small> (${signed(figure.difference.low)}…${signed(figure.difference.high)})</small>`}</td>`,
      )}<td class="tone-${verdict.replace(' ', '-')}">${verdict}</td></tr>`,
  )}</tbody></table></div></section>`;
}

function asPrinted(lines: readonly string[]): Html {
  return html`<details class="inner"><summary><span>As it was printed</span></summary><pre class="printed" tabindex="0">${lines.join('\n')}</pre></details>`;
}
