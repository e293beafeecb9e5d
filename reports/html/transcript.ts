import { clockSeconds } from '../duration.ts';
import type { HistoryEvent, ScenarioRecord } from '../record.ts';
import { type Html, html } from './markup.ts';

const shownLines = 400;

/** What programs in the pod printed, line by line with its time: the documented loop, or the user's own. */
export function renderTranscript(scenario: ScenarioRecord, events: readonly HistoryEvent[]): Html | undefined {
  const lines = events.filter((event) => event.kind === 'output').sort((a, b) => a.at - b.at);
  if (lines.length === 0) return undefined;
  const programs = new Set(lines.map((line) => line.program));
  const left = lines.length - shownLines;
  const errors = lines.filter((line) => line.stream === 'stderr').length;
  const title = programs.size === 1 ? `What ${[...programs][0]} printed` : `What ${programs.size} programs printed`;
  return html`<details class="inner"><summary><span>${title} <small>${lines.length} lines, ${errors} of them errors</small></span></summary>
<ol class="log" tabindex="0" aria-label="${title}">${lines
    .slice(0, shownLines)
    .map(
      (line) =>
        html`<li${line.stream === 'stderr' && html` class="err"`}><time>${clockSeconds(line.at - scenario.startedAt)}</time><code>${programs.size > 1 && html`<small>${line.program} </small>`}${line.text}</code></li>`,
    )}</ol>${left > 0 && html`<p class="note">${left} more lines are in history.ndjson.</p>`}</details>`;
}
