import { formatNs, formatOffset } from '../../src/timeline/duration.ts';
import type { Recovery } from '../../src/timeline/record.ts';
import { type Moment, momentNames, summarizeStages, waterfallOf } from '../../src/timeline/stages.ts';
import { renderEcdf } from './ecdf.ts';
import { type Html, html, trusted } from './markup.ts';
import { glyph, lookForResult } from './shapes.ts';

/** What the time until a moment depends on: the colour and hatching of its bar. */
const owners: Readonly<Record<Moment, 'pod' | 'daemon' | 'agent'>> = {
  crash: 'pod',
  firstError: 'pod',
  noticed: 'agent',
  daemonReady: 'daemon',
  replacedOnNode: 'agent',
  replacedInPod: 'agent',
  readable: 'pod',
  verified: 'agent',
};

/** Renders a recovery as a table with bars. `all` are the recoveries of its scenario. */
export function renderWaterfall(recovery: Recovery, ordinal: string, all: readonly Recovery[]): Html {
  const overtaken = isOvertaken(recovery, all);
  const rows = waterfallOf(recovery);
  const total = Math.max(...rows.map((row) => row.sinceCrash), 1);
  const outage = recovery.readable === undefined ? undefined : recovery.readable - recovery.crash;
  const resolution = recovery.probeRate > 0 ? `${recovery.probeRate} probe operations a second` : 'probe rate unknown';
  const unread = overtaken ? html`overtaken by the next crash` : html`<em>not readable again</em>`;
  return html`<figure class="waterfall">
<figcaption><b>${ordinal}</b> <span>${recovery.fault} · ${recovery.pod}</span> <span class="total">${
    outage === undefined ? unread : html`outage <b>${formatNs(outage)}</b>`
  }</span></figcaption>
<table><thead><tr><th scope="col">Until</th><th scope="col" class="bar-head"><span class="sr">Bar</span></th><th scope="col" class="n">took</th><th scope="col" class="n">after crash</th></tr></thead>
<tbody>${rows.slice(1).map((row) => {
    const left = ((row.sinceCrash - row.sinceBefore) / total) * 100;
    const width = (row.sinceBefore / total) * 100;
    const bar = trusted(
      `<i class="o-${owners[row.moment]}" style="left:${left.toFixed(2)}%;width:${width.toFixed(2)}%"></i>`,
    );
    const strong = row.moment === 'readable' ? trusted(' class="goal"') : '';
    return html`<tr${strong}><th scope="row">${momentNames[row.moment]}</th><td class="bar" aria-hidden="true">${bar}</td><td class="n">${formatNs(row.sinceBefore)}</td><td class="n">${formatOffset(row.sinceCrash)}</td></tr>`;
  })}${recovery.readable === undefined && !overtaken && trusted(`<tr class="goal"><th scope="row">${momentNames.readable}</th><td class="bar" aria-hidden="true"></td><td class="n"></td><td class="n never">never</td></tr>`)}</tbody></table>
<p class="facts">${renderErrors(recovery)}<span>longest stall <b>${formatNs(recovery.longestStallNs)}</b></span><span>${resolution}</span></p>
</figure>`;
}

/** Of a section about recoveries. A pod that must stay broken has no good read. */
export const recoveriesTitle = (recoveries: readonly Recovery[]): string =>
  recoveries.some(({ readable }) => readable !== undefined)
    ? 'From the crash to the first good read'
    : 'After the crash';

/** Whether the next crash of the same pod came before it could read. */
export function isOvertaken({ probe, crash, readable }: Recovery, all: readonly Recovery[]): boolean {
  return readable === undefined && all.some((other) => other.probe === probe && other.crash > crash);
}

/** Median and worst of each stage. */
export function renderStages(recoveries: readonly Recovery[]): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Stages in numbers"><table class="plain stages"><caption>${recoveries.length} ${recoveries.some(({ readable }) => readable !== undefined) ? 'recoveries' : 'crashes'}, stage by stage</caption><thead><tr><th scope="col">From</th><th scope="col">To</th><th scope="col" class="n">median</th><th scope="col" class="n">worst</th><th scope="col" class="n">count</th></tr></thead>
<tbody>${summarizeStages(recoveries).map(
    ({ stage, medianNs, worstNs, count }) =>
      html`<tr${stage.name === 'outage' && trusted(' class="goal"')}><td>${momentNames[stage.from]}</td><td>${momentNames[stage.to]}</td><td class="n">${formatNs(medianNs)}</td><td class="n">${formatNs(worstNs)}</td><td class="n">${count}</td></tr>`,
  )}</tbody></table></div>`;
}

const shownRecoveries = 300;

/** Renders many recoveries: distribution, median and worst of each stage, the worst one in full, and a line for each. */
export function renderRecoveries(recoveries: readonly Recovery[]): Html {
  const name = (i: number) => (recoveries.length === 1 ? 'The crash' : `Crash ${i + 1}`);
  if (recoveries.length === 1)
    return html`${recoveries.map((recovery, i) => renderWaterfall(recovery, name(i), recoveries))}`;
  const ecdf = renderEcdf(recoveries, 'the crashes');
  if (recoveries.length <= 4) {
    return html`${recoveries.map((recovery, i) => renderWaterfall(recovery, name(i), recoveries))}${ecdf}`;
  }
  const took = (recovery: Recovery) =>
    isOvertaken(recovery, recoveries) ? 0 : (recovery.readable ?? Number.POSITIVE_INFINITY) - recovery.crash;
  const worst = recoveries.reduce((a, b) => (took(b) > took(a) ? b : a));
  return html`<div class="columns">${ecdf}${renderStages(recoveries)}</div>
${renderWaterfall(worst, `${name(recoveries.indexOf(worst))}, the worst`, recoveries)}
<details class="inner"><summary><span>All ${recoveries.length} recoveries</span></summary><div class="scroll" tabindex="0" role="group" aria-label="All recoveries"><table class="plain"><thead><tr><th scope="col">Crash</th><th scope="col">Pod</th><th scope="col" class="n">daemon back</th><th scope="col" class="n">readable</th><th scope="col" class="n">errors</th></tr></thead><tbody>${recoveries
    .slice(0, shownRecoveries)
    .map(
      (recovery, i) =>
        html`<tr><td>${i + 1} ${recovery.fault}</td><td>${recovery.pod}</td><td class="n">${since(recovery, recovery.daemonReady)}</td><td class="n">${isOvertaken(recovery, recoveries) ? 'overtaken' : since(recovery, recovery.readable)}</td><td class="n">${Object.values(recovery.errors).reduce((a, b) => a + b, 0)}</td></tr>`,
    )}</tbody></table></div>${recoveries.length > shownRecoveries && html`<p class="note">${recoveries.length - shownRecoveries} more are in record.json.</p>`}</details>`;
}

function since(recovery: Recovery, at: number | undefined): string {
  return at === undefined ? 'never' : formatOffset(at - recovery.crash);
}

/** Failed operations by errno, the most frequent first. */
export function renderErrors(recovery: Recovery): Html {
  const errors = Object.entries(recovery.errors).sort((a, b) => b[1] - a[1]);
  if (errors.length === 0) return html`<span>no failed operation</span>`;
  return html`${errors.map(([errno, times]) => {
    const { shape, look } = lookForResult(errno);
    return html`<span class="errno">${glyph(shape, look)}${errno} <b>× ${times}</b></span>`;
  })}`;
}
