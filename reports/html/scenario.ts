import { formatNs } from '../duration.ts';
import type { HistoryEvent, ScenarioRecord, StepRecord } from '../record.ts';
import { summarizeStages } from '../stages.ts';
import { reasonOf, statusNames } from '../verdict.ts';
import type { Axis } from './axis.ts';
import { renderBackoff } from './backoff.ts';
import { renderHappenings } from './happenings.ts';
import { statusIcon } from './icons.ts';
import { anchorOf, type Html, html } from './markup.ts';
import { renderMounts } from './mounts.ts';
import { renderTimeline } from './timeline.ts';
import { renderTranscript } from './transcript.ts';
import { renderRecoveries } from './waterfall.ts';

export interface ScenarioInput {
  readonly scenario: ScenarioRecord;
  /** The scenario's own events, in any order. */
  readonly events: readonly HistoryEvent[];
  /** Position in the run, from 1. */
  readonly number: number;
  readonly open: boolean;
  /** Of the run's fidelity. */
  readonly clockScale: number;
}

/**
 * One scenario: what was done and found, and what happened meanwhile. The link's target is inside the `details`, because a
 * browser that follows a link opens what hides the target.
 */
export function renderScenario({ scenario, events, number, open, clockScale }: ScenarioInput): Html {
  const { status, recoveries } = scenario;
  const outage = summarizeStages(recoveries).find((one) => one.stage.name === 'outage');
  return html`<article class="scenario is-${status}"><details${open && html` open`}>
<summary>${statusIcon(status)}<h4><span class="sr">${statusNames[status]}: </span>${scenario.name}</h4><span class="under"><span>${number}</span>${scenario.claims.map((claim) => html`<span class="claim">${claim}</span>`)}<span>${formatNs(scenario.finishedAt - scenario.startedAt)}</span>${outage && html`<span>outage ${formatNs(outage.worstNs)}</span>`}${scenario.mountLines && mountGrowth(scenario.mountLines)}</span></summary>
<div class="body" id="${anchorOf(scenario.id)}">
<p class="where">${scenario.feature}${scenario.rule !== undefined && html` › ${scenario.rule}`} · <code>${scenario.uri}:${scenario.line}</code><a href="#${anchorOf(scenario.id)}" aria-label="Link to this scenario: ${scenario.name}">link</a></p>
${status !== 'pass' && html`<p class="reason s-${status}">${statusIcon(status)}<span>${reasonOf(scenario)}</span></p>`}
<div class="columns"><section><h5>Steps</h5>${renderSteps(scenario.steps)}</section>
${scenario.checks.length > 0 && html`<section><h5>Checks</h5>${renderChecks(scenario)}</section>`}</div>
${recoveries.length > 0 && html`<section><h5>From the crash to the first good read</h5>${renderRecoveries(recoveries)}</section>`}
${scenario.backoff && renderBackoff(scenario.backoff, clockScale)}
${renderTimelines(scenario, events)}
${renderTranscript(scenario, events)}${renderHappenings(scenario, events)}${renderMounts(scenario, events)}
</div></details></article>`;
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

const shownCloseUps = 3;

function renderTimelines(scenario: ScenarioRecord, events: readonly HistoryEvent[]): Html | undefined {
  if (!events.some((event) => event.kind === 'probe' || event.kind === 'fault' || event.kind === 'hang'))
    return undefined;
  const { recoveries } = scenario;
  const from = events.reduce((first, event) => Math.min(first, event.at), scenario.startedAt);
  const to = events.reduce((last, event) => Math.max(last, event.at), scenario.finishedAt);
  // A scenario without any duration still needs an axis.
  const whole = { from, to: Math.max(to, from + 1e6), zero: scenario.startedAt };
  const closeUps = closeUpsOf(scenario, to - from);
  return html`<section><h5>What happened</h5>
<figure><figcaption>The whole scenario, in seconds since it began. Shaded: <span class="swatch outage"></span> from the crash until the pod reads again, <span class="swatch fault"></span> while a fault lasts.</figcaption>
${renderTimeline({ axis: whole, events, recoveries, name: `Timeline of “${scenario.name}”` })}</figure>
${closeUps.map(
  (axis, i) =>
    html`<figure><figcaption>Close-up of ${closeUps.length === 1 ? 'the crash' : `crash ${i + 1}`}, in time since the crash.</figcaption>${renderTimeline({ axis, events, recoveries, name: `Close-up of crash ${i + 1}` })}</figure>`,
)}</section>`;
}

/** Crashes that are too short to be seen on the whole axis, the first few. */
function closeUpsOf({ recoveries }: ScenarioRecord, wholeNs: number): Axis[] {
  const axes = [...Map.groupBy(recoveries, (recovery) => recovery.crash)].flatMap(([crash, all]): Axis[] => {
    const ends = all.flatMap((recovery) =>
      [recovery.readable ?? [], recovery.readable ? (recovery.verified ?? []) : []].flat(),
    );
    if (ends.length === 0) return [];
    const took = Math.max(...ends) - crash;
    return [{ from: crash - took * 0.06, to: crash + took * 1.1, zero: crash }];
  });
  return axes.filter((axis) => axis.to - axis.from < wholeNs * 0.6).slice(0, shownCloseUps);
}
