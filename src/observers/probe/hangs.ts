import type { HistoryEvent } from '../../timeline/record.ts';
import type { Finished, InFlight } from './ring.ts';

type HangEvent = Extract<HistoryEvent, { kind: 'hang' }>;

/** An operation in flight for longer is a hang, in nanoseconds. */
const hangAfterNs = 100e6;
const repeatNs = 1e9;

export interface HangWatch {
  /** What there is to say of the operation in flight: once when it becomes a hang, then once a second; at once if `last`. */
  watch(now: number, inFlight: InFlight | undefined, last?: { readonly last: true }): HangEvent[];
  /** What there is to say of an operation that has ended. */
  ended(operation: Finished): HangEvent[];
}

/** Tells hangs while they last. Pure but for what it has said already. */
export function createHangWatch(probe: string): HangWatch {
  let said: { since: number; at: number } | undefined;
  const hang = (at: number, { op, since }: InFlight, over: boolean): HangEvent => ({
    kind: 'hang',
    at,
    probe,
    op,
    since,
    over,
  });
  return {
    watch(now, inFlight, last) {
      if (inFlight === undefined || now - inFlight.since < hangAfterNs) return [];
      if (said?.since === inFlight.since && now - said.at < repeatNs && last === undefined) return [];
      said = { since: inFlight.since, at: now };
      return [hang(now, inFlight, false)];
    },
    ended({ op, startedAt, finishedAt }) {
      const operation = { op, since: startedAt };
      const over = hang(finishedAt, operation, true);
      // Said of one that had ended in time, too: on a busy machine it is told late that it has.
      if (said?.since === startedAt) return [over];
      if (finishedAt - startedAt < hangAfterNs) return [];
      return [hang(startedAt + hangAfterNs, operation, false), over];
    },
  };
}
