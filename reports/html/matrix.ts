import { type ClaimResult, claims, judgeClaims, unexaminedClaims } from '../../src/timeline/claims.ts';
import type { RunRecord, ScenarioRecord, ScenarioStatus } from '../../src/timeline/record.ts';
import { reasonOf, statuses, statusNames } from '../../src/timeline/verdict.ts';
import { statusIcon } from './icons.ts';
import { anchorOf, type Html, html } from './markup.ts';

/** Claims × results: what came of each promise, in which scenarios, and why where it was not shown. */
export function renderMatrix({ scenarios }: RunRecord): Html | undefined {
  const judged = judgeClaims(scenarios);
  if (judged.length === 0) return undefined;
  const numbers = new Map(scenarios.map((scenario, i) => [scenario.id, i + 1]));
  const rest = unexaminedClaims(scenarios);
  return html`<section aria-labelledby="_claims"><h2 id="_claims">Claims</h2>
<p class="intro">What the document promises, and what came of it. Numbers are scenarios of this run.</p>
<table class="matrix"><thead><tr><th scope="col">Claim</th><th scope="col">What the document promises</th>${statuses.map(
    (status) => html`<th scope="col" class="of">${statusNames[status]}</th>`,
  )}</tr></thead>
<tbody>${judged.map((claim) => renderClaim(claim, numbers))}</tbody></table>
${rest.length > 0 && html`<details class="inner"><summary><span>Not examined by this run <small>${rest.length} claims</small></span></summary><ul class="unexamined">${rest.map((id) => html`<li><span class="claim">${id}</span> ${claims[id]}</li>`)}</ul></details>`}</section>`;
}

function renderClaim({ id, says, status, scenarios }: ClaimResult, numbers: ReadonlyMap<string, number>): Html {
  const reasons = scenarios.filter((scenario) => scenario.status !== 'pass');
  const cell = (of: ScenarioStatus) => {
    const own = scenarios.filter((scenario) => scenario.status === of);
    if (own.length === 0) return html`<td class="of none"></td>`;
    return html`<td class="of"><span class="phone">${statusNames[of]}</span>${own.map((scenario) => chip(scenario, numbers.get(scenario.id) ?? 0))}</td>`;
  };
  return html`<tr class="is-${status}"><th scope="row">${statusIcon(status, 'named')} ${id}</th><td>${says ?? html`<em>not a claim of the document</em>`}${reasons.map(
    (scenario) =>
      html`<small><b>${numbers.get(scenario.id)} ${statusNames[scenario.status]}:</b> ${reasonOf(scenario)}</small>`,
  )}</td>${statuses.map(cell)}</tr>`;
}

function chip(scenario: ScenarioRecord, number: number): Html {
  return html`<a class="chip s-${scenario.status}" href="#${anchorOf(scenario.id)}" title="${scenario.name}"><span aria-hidden="true">${number}</span><span class="sr">${number}, ${scenario.name}: ${statusNames[scenario.status]}</span></a> `;
}
