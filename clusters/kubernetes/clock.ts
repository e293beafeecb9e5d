import type { HistoryEvent } from '../../src/timeline/record.ts';

/** One reading of a node's monotonic clock, in nanoseconds. `sentAt` and `receivedAt` are on this machine's clock. */
export interface ClockReading {
  readonly sentAt: number;
  readonly remote: number;
  readonly receivedAt: number;
}

/** The node's clock minus this machine's, and the largest possible error. */
export interface ClockOffset {
  readonly offsetNs: number;
  readonly errorNs: number;
}

/** Uses the reading with the shortest round trip, as NTP does, because its error is the smallest. */
export function clockOffset(readings: readonly ClockReading[]): ClockOffset {
  const [best] = readings.toSorted((a, b) => a.receivedAt - a.sentAt - (b.receivedAt - b.sentAt));
  if (!best) return { offsetNs: 0, errorNs: Number.POSITIVE_INFINITY };
  const roundTripNs = best.receivedAt - best.sentAt;
  return { offsetNs: best.remote - (best.sentAt + roundTripNs / 2), errorNs: roundTripNs / 2 };
}

/** Converts the times of a node's event to this machine's clock. */
export function toOurClockEvent(event: HistoryEvent, offsetNs: number): HistoryEvent {
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
