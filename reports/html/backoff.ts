import { backoffTable } from '../backoff.ts';
import type { BackoffRow } from '../record.ts';
import { type Html, html } from './markup.ts';

/** Predicted and observed delays of a crash loop, side by side. */
export function renderBackoff(rows: readonly BackoffRow[], clockScale: number): Html {
  const { caption, head, rows: lines } = backoffTable(rows, clockScale);
  return html`<section><h5>The kubelet’s back-off</h5><p>${caption}</p>
<div class="scroll" tabindex="0" role="group" aria-label="Back-off, predicted and observed"><table class="plain"><thead><tr>${head.map((name) => html`<th scope="col" class="n">${name}</th>`)}</tr></thead>
<tbody>${lines.map((cells) => html`<tr>${cells.map((cell) => html`<td class="n">${cell}</td>`)}</tr>`)}</tbody></table></div></section>`;
}
