import { type ClaimResult, claims, judgeClaims, unexaminedClaims } from '../claims.ts';
import type { RunRecord } from '../record.ts';
import { reasonOf, statusNames } from '../verdict.ts';
import { statusIcon } from './icons.ts';
import { anchorOf, type Html, html } from './markup.ts';

/** Claims × scenarios: what came of each promise, in which scenario, and why where nothing did. */
export function renderMatrix({ scenarios }: RunRecord): Html | undefined {
  const judged = judgeClaims(scenarios);
  if (judged.length === 0) return undefined;
  const numbers = new Map(scenarios.map((scenario, i) => [scenario.id, i + 1]));
  const rest = unexaminedClaims(scenarios);
  return html`<section aria-labelledby="_claims"><h2 id="_claims">Claims</h2>
<table class="matrix"><thead><tr><th scope="col">Claim</th><th scope="col">What the document promises</th><th scope="col">Shown by</th></tr></thead>
<tbody>${judged.map((claim) => renderClaim(claim, numbers))}</tbody></table>
${rest.length > 0 && html`<details class="inner"><summary><span>Not examined by this run <small>${rest.length} claims</small></span></summary><ul class="unexamined">${rest.map((id) => html`<li><span class="claim">${id}</span> ${claims[id]}</li>`)}</ul></details>`}</section>`;
}

function renderClaim({ id, says, status, scenarios }: ClaimResult, numbers: ReadonlyMap<string, number>): Html {
  return html`<tr class="is-${status}"><th scope="row">${statusIcon(status, 'named')} ${id}</th><td>${says ?? html`<em>not a claim of the document</em>`}</td><td><ul>${scenarios.map(
    (scenario) =>
      html`<li>${statusIcon(scenario.status)}<span><a href="#${anchorOf(scenario.id)}"><span class="n">${numbers.get(scenario.id)}</span> ${scenario.name}</a><span class="sr">: ${statusNames[scenario.status]}</span>${scenario.status !== 'pass' && html`<small>${scenario.status === 'skipped' && 'skipped: '}${reasonOf(scenario)}</small>`}</span></li>`,
  )}</ul></td></tr>`;
}
