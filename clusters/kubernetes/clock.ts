import type { HistoryEvent } from '../../src/timeline/record.ts';

/** A question for a node's monotonic clock, in nanoseconds: asked and answered by this machine's, `remote` by the node's. */
export interface ClockReading {
  readonly asked: number;
  readonly remote: number;
  readonly answered: number;
}

/** What has to be added to this machine's clock to have the node's, and how far off that may be. */
export interface ClockOffset {
  readonly offsetNs: number;
  readonly errorNs: number;
}

/** By the quickest of the answers, whose way there and back leaves the least room (as NTP does). */
export function clockOffset(readings: readonly ClockReading[]): ClockOffset {
  const [best] = readings.toSorted((a, b) => a.answered - a.asked - (b.answered - b.asked));
  if (!best) return { offsetNs: 0, errorNs: Number.POSITIVE_INFINITY };
  const tripNs = best.answered - best.asked;
  return { offsetNs: best.remote - (best.asked + tripNs / 2), errorNs: tripNs / 2 };
}

/** An event of a node on this machine's clock. */
export function onOurClock(event: HistoryEvent, offsetNs: number): HistoryEvent {
  const at = event.at - offsetNs;
  switch (event.kind) {
    case 'probe':
      return { ...event, at, startedAt: event.startedAt - offsetNs, finishedAt: event.finishedAt - offsetNs };
    case 'hang':
      return { ...event, at, since: event.since - offsetNs };
    default:
      return { ...event, at };
  }
}
