import type { ScenarioStatus } from '../../src/timeline/record.ts';
import { statusNames } from '../../src/timeline/verdict.ts';
import { type Html, html, trusted } from './markup.ts';

const drawings: Readonly<Record<ScenarioStatus, string>> = {
  pass: '<circle cx="8" cy="8" r="7.5"/><path d="M4.6 8.4 7 10.8l4.6-5.2"/>',
  fail: '<path class="body" d="M5 .5h6L15.5 5v6L11 15.5H5L.5 11V5z"/><path d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2"/>',
  inconclusive:
    '<path class="body" d="M8 .3 15.7 8 8 15.7.3 8z"/><path d="M6.3 6.4c0-2.3 3.5-2.2 3.5 0 0 1.3-1.7 1.4-1.7 2.8M8.1 11.4v.4"/>',
  skipped: '<circle class="open" cx="8" cy="8" r="6.8"/><path d="M4.8 8h6.4"/>',
};

/** The sign of a status. Its shape says what its colour says; `named` where no word stands beside it. */
export function statusIcon(status: ScenarioStatus, named: 'named' | 'beside a word' = 'beside a word'): Html {
  const label = named === 'named' ? html` role="img" aria-label="${statusNames[status]}"` : html` aria-hidden="true"`;
  return html`<svg class="icon s-${status}" viewBox="0 0 16 16" focusable="false"${label}>${trusted(drawings[status])}</svg>`;
}
