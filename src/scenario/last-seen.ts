import { describe, formatDescription } from '../timeline/describe.ts';
import type { HistoryEvent } from '../timeline/record.ts';

/** How many events the message of a timeout names, besides the last result of each probe. */
const shownEvents = 4;
const longestDescription = 240;

/** The end of a history for the message of a timeout: the last result of each probe, and the last few other events. */
export function lastSeen(history: readonly HistoryEvent[]): string {
  const probes = new Map<string, string>();
  for (const event of history) if (event.kind === 'probe') probes.set(event.probe, `${event.op} ${event.result}`);
  const others = history.filter(isOfInterest).slice(-shownEvents);
  const parts = [
    ...[...probes].map(([probe, result]) => `${probe} ${result}`),
    ...others.map((event) => formatDescription(describe(event)).slice(0, longestDescription)),
  ];
  return parts.length === 0 ? 'nothing happened at all' : parts.join('; ');
}

function isOfInterest(event: HistoryEvent): boolean {
  // Other programs on the machine mount file systems, too.
  if (event.kind === 'mount') return event.fstype.startsWith('fuse');
  if (event.kind === 'agent') return event.event !== 'passed';
  return event.kind !== 'probe' && event.kind !== 'snapshot' && event.kind !== 'note';
}
