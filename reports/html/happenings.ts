import { clockSeconds, formatOffset } from '../duration.ts';
import type { HistoryEvent, ScenarioRecord } from '../record.ts';
import { isTold, tell } from './happening.ts';
import { type Html, html } from './markup.ts';
import { glyph } from './shapes.ts';

const shownEvents = 400;

/** Everything that happened but the probe's results and the output, as a list: what the timeline shows, in words. */
export function renderHappenings(scenario: ScenarioRecord, events: readonly HistoryEvent[]): Html | undefined {
  const told = events
    .filter(isTold)
    .filter((event) => !(event.kind === 'agent' && event.event === 'passed'))
    .sort((a, b) => a.at - b.at);
  if (told.length === 0) return undefined;
  const left = told.length - shownEvents;
  let crash: number | undefined;
  return html`<details class="inner"><summary><span>Everything that happened <small>${told.length} events</small></span></summary>
<div class="scroll" tabindex="0" role="group" aria-label="Everything that happened in “${scenario.name}”"><table class="plain events"><thead><tr><th scope="col" class="n">at (s)</th><th scope="col" class="n">after fault</th><th scope="col">who</th><th scope="col">what</th></tr></thead><tbody>${told
    .slice(0, shownEvents)
    .map((event) => {
      if (event.kind === 'fault' && event.phase === 'injected') crash = event.at;
      const { who, says, shape, look } = tell(event);
      const after = crash === undefined ? '' : formatOffset(event.at - crash);
      return html`<tr><td class="n">${clockSeconds(event.at - scenario.startedAt)}</td><td class="n">${after}</td><td>${glyph(shape, look)}${who}</td><td>${says}</td></tr>`;
    })}</tbody></table></div>${left > 0 && html`<p class="note">${left} more events are in history.ndjson.</p>`}</details>`;
}
