import type { ProbeColumns, ScenarioDigest } from '../../src/timeline/digest.ts';
import { formatNs } from '../../src/timeline/duration.ts';
import type { ScenarioRecord, StepRecord } from '../../src/timeline/record.ts';
import { summarizeStages } from '../../src/timeline/stages.ts';
import { reasonOf, statusNames } from '../../src/timeline/verdict.ts';
import type { PackedScenario } from '../page/packed.ts';
import { trim } from './chart.ts';
import { probeSpans } from './lanes.ts';
import { anchorFor, type Html, html, trusted } from './markup.ts';
import { renderBackoff, renderMountGrowth } from './scenario-charts.ts';
import { describeScenario, scenarioAxis } from './scenario-data.ts';
import { lookForResult, statusIcon } from './shapes.ts';
import { recoveriesTitle, renderRecoveries } from './waterfall.ts';

export interface ScenarioInput {
  readonly scenario: ScenarioRecord;
  readonly digest: ScenarioDigest;
  readonly data: PackedScenario;
  /** Position in the run, from 1. */
  readonly number: number;
  readonly open: boolean;
  readonly clockScale: number;
}

/** Renders a scenario. The target of its link is inside the `details`, so that a browser opens it when it follows the link. */
export function renderScenario({ scenario, digest, data, number, open, clockScale }: ScenarioInput): Html {
  const { status, recoveries } = scenario;
  const outage = summarizeStages(recoveries).find((one) => one.stage.name === 'outage');
  return html`<article class="scenario is-${status}" data-status="${status}" data-claims="${scenario.claims.join(' ')}" data-number="${number}"><details${open && html` open`}>
<summary>${statusIcon(status)}<h4><span class="sr">${statusNames[status]}: </span>${scenario.name}</h4><span class="under"><span class="number">${number}</span>${scenario.claims.map((claim) => html`<span class="claim">${claim}</span>`)}${status !== 'skipped' && html`<span>${formatNs(scenario.finishedAt - scenario.startedAt)}</span>`}${scenario.mountLines && mountGrowth(scenario.mountLines)}</span>${renderStrip(scenario, digest)}<span class="outage-time">${outage && html`${formatNs(outage.worstNs)}<small>${outage.count > 1 ? 'worst outage' : 'outage'}</small>`}</span></summary>
<div class="body" id="${anchorFor(scenario.id)}"><div class="static">
<p class="where">${scenario.feature}${scenario.rule !== undefined && html` › ${scenario.rule}`}${scenario.uri !== '' && html` · <code>${scenario.uri}:${scenario.line}</code>`}<a href="#${anchorFor(scenario.id)}" aria-label="Link to this scenario: ${scenario.name}">link</a></p>
${status !== 'pass' && html`<p class="reason s-${status}">${statusIcon(status)}<span>${reasonOf(scenario)}</span></p>`}</div>
${renderPicture(scenario, data)}
<div class="columns static">${scenario.steps.length > 0 && html`<section><h5>Steps</h5>${renderSteps(scenario.steps)}</section>`}
${scenario.checks.length > 0 && html`<section><h5>Checks</h5>${renderChecks(scenario)}</section>`}</div>
${recoveries.length > 0 && html`<section><h5>${recoveriesTitle(recoveries)}</h5>${renderRecoveries(recoveries)}</section>`}
${scenario.backoff && renderBackoff(scenario.backoff, clockScale)}
${renderMountGrowth(scenario, digest)}
${renderLists(data)}
</div></details></article>`;
}

/** The element in which the page's script draws the time line. */
function renderPicture(scenario: ScenarioRecord, data: PackedScenario): Html | undefined {
  if (data.probes.length === 0 && data.faults.length === 0) return undefined;
  return html`<section class="picture" data-says="Timeline of “${scenario.name}”: ${describeScenario(data)}"><h5>What happened</h5><noscript><p class="note">The timeline is drawn by the page’s script. ${describeScenario(data)}</p></noscript></section>`;
}

/** Lists that the page's script fills on opening. */
function renderLists({ output, left, events, tables }: PackedScenario): Html {
  const list = (kind: string, title: string, note: string) =>
    html`<details class="inner lazy" data-list="${kind}"><summary><span>${title} <small>${note}</small></span></summary><noscript><p class="note">Needs the page’s script; history.ndjson has it all.</p></noscript></details>`;
  const programs = [...new Set(output.map(({ program }) => program))];
  const errors = output.filter(({ error }) => error).length;
  const contradicted = events.filter((one) => one.contradicted).length;
  return html`${output.length > 0 && list('output', programs.length === 1 ? `Transcript: ${programs[0]}` : `Transcripts of ${programs.length} programs`, `${output.length + left.output} lines, ${errors} of them errors`)}${
    tables.length > 0 &&
    list('tables', 'Mount tables before, during and after', [...new Set(tables.map(({ where }) => where))].join(', '))
  }${
    events.length > 0 &&
    list(
      'events',
      'Everything that happened, and what was true then',
      `${events.length + left.events} events${contradicted > 0 ? `, ${contradicted} contradicted by what the pod saw` : ''}`,
    )
  }`;
}

function mountGrowth({ before, after }: { readonly before: number; readonly after: number }): Html {
  const growth = after - before;
  if (growth === 0) return html`<span>${after} mounts, as before</span>`;
  return html`<span class="grown">${before} → ${after} mounts (${growth > 0 ? '+' : '−'}${Math.abs(growth)})</span>`;
}

function renderSteps(steps: readonly StepRecord[]): Html {
  return html`<ol class="steps">${steps.map((step) => {
    const status =
      step.status === 'passed'
        ? 'pass'
        : step.status === 'failed'
          ? 'fail'
          : step.status === 'skipped'
            ? 'skipped'
            : 'inconclusive';
    return html`<li class="is-${status}">${statusIcon(status)}<span class="sr">${step.status}: </span><span class="text"><b>${step.keyword.trim()}</b> ${step.text}${step.error !== undefined && html`<pre tabindex="0">${step.error}</pre>`}</span><span class="n">${step.status === 'skipped' ? '' : formatNs(step.tookNs)}</span></li>`;
  })}</ol>`;
}

function renderChecks(scenario: ScenarioRecord): Html {
  return html`<ul class="checks">${scenario.checks.map(
    (check) =>
      html`<li class="is-${check.verdict}">${statusIcon(check.verdict)}<span class="sr">${statusNames[check.verdict]}: </span><span class="text"><b>${check.name}</b> ${check.claims.map((claim) => html`<span class="claim">${claim}</span>`)}<br>${check.says}</span></li>`,
  )}</ul>`;
}

const columns = 80;

/** A scenario in one line: the results of the probe with the most failures. */
export function renderStrip(scenario: ScenarioRecord, digest: ScenarioDigest): Html | undefined {
  const probe = mostFailures(digest.probes);
  if (probe === undefined) return undefined;
  const axis = scenarioAxis(scenario, digest);
  const at = (time: number) => Math.min(100, Math.max(0, ((time - axis.from) / (axis.to - axis.from)) * 100));
  const spans = probeSpans(probe, columns);
  const boxes = spans.map(({ from, to, result }) => {
    const width = Math.max(result === 'ok' ? 0.2 : 0.9, at(to) - at(from));
    const [y, height] = result === 'ok' ? [6, 4] : [1, 14];
    return `<rect x="${trim(at(from))}%" width="${trim(width)}%" y="${y}" height="${height}" class="k-${lookForResult(result).look}"/>`;
  });
  const hangs = digest.events.flatMap((event) => {
    if (event.kind !== 'hang' || event.probe !== probe.probe) return [];
    const width = Math.max(0.9, at(event.at) - at(event.since));
    return [`<rect x="${trim(at(event.since))}%" width="${trim(width)}%" y="1" height="14" class="k-odd"/>`];
  });
  return html`<svg class="glance" aria-hidden="true" focusable="false">${trusted([...boxes, ...hangs.slice(-20)].join(''))}</svg>`;
}

function mostFailures(probes: readonly ProbeColumns[]): ProbeColumns | undefined {
  const failures = (probe: ProbeColumns) => {
    let failed = 0;
    for (let i = 0; i < probe.count; i++) if (probe.result(i) !== 'ok') failed++;
    return failed;
  };
  const counted = probes.filter(({ count }) => count > 0).map((probe) => ({ probe, failed: failures(probe) }));
  return counted.sort((a, b) => b.failed - a.failed)[0]?.probe;
}
