import {
  type ClaimResult,
  claims,
  type ExaminingScenario,
  judgeClaims,
  unexaminedClaims,
} from '../../src/timeline/claims.ts';
import { formatNs } from '../../src/timeline/duration.ts';
import type { RunRecord, ScenarioStatus } from '../../src/timeline/record.ts';
import { summarizeStages } from '../../src/timeline/stages.ts';
import {
  count,
  countStatuses,
  explainVerdict,
  reasonOf,
  statuses,
  statusNames,
  verdictNames,
} from '../../src/timeline/verdict.ts';
import { renderEcdf } from './ecdf.ts';
import { anchorFor, type Content, type Html, html } from './markup.ts';
import { glyph, statusIcon } from './shapes.ts';
import { isOvertaken, recoveriesTitle, renderStages } from './waterfall.ts';

/** Title and explanation of a run's outcome. A benchmark measures and does not judge conformance, so it has words of its own. */
export function describeOutcome(record: RunRecord): { readonly title: string; readonly explanation: string } {
  if (record.command[1] !== 'bench')
    return { title: verdictNames[record.verdict], explanation: explainVerdict(record) };
  const titles = {
    pass: 'Recovered each time',
    fail: 'Not recovered each time',
    inconclusive: 'Inconclusive',
  } as const;
  const note = 'Warm-up crashes are included here; bench.html has the figures without them.';
  return {
    title: titles[record.verdict],
    explanation: record.verdict === 'pass' ? note : `${explainVerdict(record)} ${note}`,
  };
}

/** The verdict with its explanation, the results of the scenarios, and the failures. */
export function renderVerdict(record: RunRecord): Html {
  const { verdict, scenarios, fidelity } = record;
  const { title, explanation } = describeOutcome(record);
  const counts = countStatuses(scenarios);
  const fakes = fidelity.parts.filter(({ fake }) => fake).length;
  const clock = fidelity.clockScale === 1 ? '' : ` · the fake kubelet’s clock × ${fidelity.clockScale}`;
  return html`<section class="verdict is-${verdict}" aria-labelledby="_verdict">
${statusIcon(verdict)}<div><h1 id="_verdict">${title}</h1>
<p class="lead">${explanation}</p>
<ul class="tally">${statuses.filter((status) => counts[status] > 0).map((status) => html`<li>${statusIcon(status)}<b>${counts[status]}</b> ${statusNames[status]}</li>`)}</ul>
${scenarios.length > 1 && html`<ol class="strip" aria-label="Scenarios in order">${scenarios.map((scenario, i) => html`<li><a href="#${anchorFor(scenario.id)}" title="${i + 1} ${scenario.name}: ${statusNames[scenario.status]}">${statusIcon(scenario.status, 'named')}<span class="sr"> ${i + 1} ${scenario.name}</span></a></li>`)}</ol>`}
<p class="how-real">${fidelity.place} · ${fakes === 0 ? 'nothing stands in for anything else' : html`${fakes} of ${fidelity.parts.length} parts stand in for the real thing`}${clock} · <a href="#_fidelity">how real this run was</a></p>
${record.leftovers.length > 0 && html`<div class="leftovers"><p><b>${count(record.leftovers.length, 'thing')} could not be cleaned up:</b></p><ul>${record.leftovers.map((one) => html`<li><code>${one}</code></li>`)}</ul></div>`}
</div></section>${renderTrouble(record)}`;
}

/** Failed and inconclusive checks and scenarios with their reasons. */
function renderTrouble({ scenarios, checks = [] }: RunRecord): Html | undefined {
  const troubled = scenarios.filter(({ status }) => status === 'fail' || status === 'inconclusive');
  const broken = checks.filter(({ verdict }) => verdict !== 'pass');
  if (troubled.length + broken.length === 0) return undefined;
  const numbers = new Map(scenarios.map((scenario, i) => [scenario.id, i + 1]));
  return html`<section aria-labelledby="_trouble"><h2 id="_trouble">What is wrong</h2><ul class="trouble">${broken.map(
    ({ name, verdict, says }) =>
      html`<li>${statusIcon(verdict)}<div><b>The run as a whole: ${name}</b><p>${says}</p></div></li>`,
  )}${troubled.map(
    (scenario) =>
      html`<li>${statusIcon(scenario.status)}<div><a href="#${anchorFor(scenario.id)}"><span class="sr">${statusNames[scenario.status]}: </span>${numbers.get(scenario.id)} ${scenario.name}</a> ${scenario.claims.map((claim) => html`<span class="claim">${claim}</span> `)}<p>${reasonOf(scenario)}</p></div></li>`,
  )}</ul></section>`;
}

/** The fidelity of the run: real parts, stand-ins, and the clock. */
export function renderFidelity({ fidelity }: RunRecord): Html {
  const parts = (fake: boolean) => fidelity.parts.filter((part) => part.fake === fake);
  const list = (fake: boolean, title: string) =>
    parts(fake).length > 0 &&
    html`<div><h3>${title}</h3><ul>${parts(fake).map((part) => html`<li>${glyph(fake ? 'ring' : 'circle', fake ? 'warn' : 'ok')}<span><b>${part.part}</b> ${part.is}</span></li>`)}</ul></div>`;
  const clock =
    fidelity.clockScale === 1
      ? 'No clock is scaled.'
      : `The fake kubelet’s clock runs ${fidelity.clockScale} times as fast, so its waits are that much shorter here.`;
  return html`<section class="fidelity" aria-labelledby="_fidelity"><h2 id="_fidelity">How real this run was</h2>
<p>Run in: <b>${fidelity.place}</b>. ${clock}</p><div class="columns">${list(false, 'Real')}${list(true, 'Stands in for the real thing')}</div></section>`;
}

/** Distribution and stages of all crashes of the run. */
export function renderDistribution({ scenarios }: RunRecord): Html | undefined {
  const recoveries = scenarios.flatMap((scenario) => scenario.recoveries);
  if (recoveries.length < 2) return undefined;
  return html`<section aria-labelledby="_recovery"><h2 id="_recovery">${recoveriesTitle(recoveries)}</h2>
<div class="columns">${renderEcdf(recoveries, 'all crashes of this run')}${renderStages(recoveries)}</div></section>`;
}

/** The key figures. */
export function renderNumbers({ scenarios }: RunRecord): Html | undefined {
  const recoveries = scenarios.flatMap((scenario) => scenario.recoveries);
  if (recoveries.length === 0) return undefined;
  const summary = (name: string) => summarizeStages(recoveries).find((one) => one.stage.name === name);
  const outage = summary('outage');
  const agent = summary('ready-to-readable');
  const unread = scenarios.map(({ status, recoveries: all }) => {
    const dead = all.filter(({ firstError, readable }) => firstError !== undefined && readable === undefined);
    const overtaken = dead.filter((one) => isOvertaken(one, all)).length;
    return { expected: status === 'pass', lost: dead.length - overtaken, overtaken };
  });
  const lost = unread.reduce((sum, one) => sum + one.lost, 0);
  const promised = unread.reduce((sum, one) => sum + (one.expected ? one.lost : 0), 0);
  const overtaken = unread.reduce((sum, one) => sum + one.overtaken, 0);
  const notes = [
    ...(lost > 0
      ? [
          `${lost} not recovered${promised === 0 ? '' : promised === lost ? ', as promised' : `, ${promised} of them as promised`}`,
        ]
      : []),
    ...(overtaken > 0 ? [`${overtaken} overtaken by the next`] : []),
  ];
  const errors = recoveries.flatMap((recovery) => Object.values(recovery.errors)).reduce((a, b) => a + b, 0);
  const rates = [...new Set(recoveries.map((recovery) => recovery.probeRate))].filter((rate) => rate > 0);
  const slowest = Math.min(...rates);
  const tile = (value: Content, label: string, note: Content) =>
    html`<div><dt>${label}</dt><dd><b>${value}</b><small>${note}</small></dd></div>`;
  return html`<section aria-labelledby="_numbers"><h2 id="_numbers" class="sr">Numbers</h2><dl class="tiles">
${outage && tile(formatNs(outage.medianNs), 'crash → pod reads again', `median of ${outage.count}; worst ${formatNs(outage.worstNs)}`)}
${agent && tile(formatNs(agent.medianNs), 'daemon back → pod reads again', `median of ${agent.count}; worst ${formatNs(agent.worstNs)}`)}
${tile(recoveries.length.toLocaleString('en'), recoveries.length === 1 ? 'crash' : 'crashes', notes.join('; ') || 'the pod read again after each')}
${tile(errors.toLocaleString('en'), 'failed probe operations', rates.length > 0 ? `probed every ${formatNs(1e9 / slowest)}` : 'by the probe in the pod')}
</dl></section>`;
}

/** The facts needed to repeat the run. */
export function renderEnvironment(record: RunRecord): Html {
  const { machine } = record;
  const took = (Date.parse(record.finishedAt) - Date.parse(record.startedAt)) * 1e6;
  const rows: readonly (readonly [string, Content])[] = [
    ['Command', html`<code>${record.command.join(' ')}</code>`],
    ['Run', html`<code>${record.runId}</code>, seed ${record.seed}`],
    [
      'Started',
      html`<time datetime="${record.startedAt}">${record.startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}</time>${Number.isFinite(took) && `, took ${formatNs(took)}`}`,
    ],
    ['Profile and cluster', `${record.profile}, ${record.cluster}`],
    ['Rekindle', record.rekindle],
    [
      'Machine',
      `${machine.os}, kernel ${machine.kernel}, ${count(machine.cpus, 'CPU')}, ${(machine.memoryBytes / 1024 ** 3).toFixed(1)} GiB, Node ${machine.node}, ${machine.root ? 'root' : 'without root'}`,
    ],
  ];
  return html`<section class="environment" aria-labelledby="_environment"><h2 id="_environment">Where and how</h2><dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}

/** A matrix of claims and results, with the scenarios and the reasons for failures. */
export function renderMatrix({ scenarios }: RunRecord): Html | undefined {
  const judged = judgeClaims(scenarios);
  if (judged.length === 0) return undefined;
  const numbers = new Map(scenarios.map((scenario, i) => [scenario.id, i + 1]));
  const rest = unexaminedClaims(scenarios);
  return html`<section aria-labelledby="_claims"><h2 id="_claims">Claims</h2>
<p class="intro">What is promised, and what came of it. Numbers are scenarios of this run.</p>
<table class="matrix"><thead><tr><th scope="col">Claim</th><th scope="col">Promise</th>${statuses.map(
    (status) => html`<th scope="col" class="of">${statusNames[status]}</th>`,
  )}</tr></thead>
<tbody>${judged.map((claim) => renderClaim(claim, numbers))}</tbody></table>
${rest.length > 0 && html`<details class="inner"><summary><span>Not examined by this run <small>${rest.length} claims</small></span></summary><ul class="unexamined">${rest.map((id) => html`<li><span class="claim">${id}</span> ${claims[id]}</li>`)}</ul></details>`}</section>`;
}

function renderClaim({ id, says, status, scenarios }: ClaimResult, numbers: ReadonlyMap<string, number>): Html {
  const reasons = scenarios.filter(({ status }) => status !== 'pass');
  const cell = (of: ScenarioStatus) => {
    const own = scenarios.filter(({ status }) => status === of);
    if (own.length === 0) return html`<td class="of none"></td>`;
    return html`<td class="of"><span class="phone">${statusNames[of]}</span>${own.map((each) => chip(each, numbers.get(each.scenario.id) ?? 0))}</td>`;
  };
  return html`<tr class="is-${status}"><th scope="row">${statusIcon(status, 'named')} ${id}</th><td>${says ?? html`<em>not a claim of the document</em>`}${reasons.map(
    ({ scenario, status }) =>
      html`<small><b>${numbers.get(scenario.id)} ${statusNames[status]}:</b> ${reasonOf(scenario)}</small>`,
  )}</td>${statuses.map(cell)}</tr>`;
}

function chip({ scenario, status }: ExaminingScenario, number: number): Html {
  return html`<a class="chip s-${status}" href="#${anchorFor(scenario.id)}" title="${scenario.name}"><span aria-hidden="true">${number}</span><span class="sr">${number}, ${scenario.name}: ${statusNames[status]}</span></a> `;
}
