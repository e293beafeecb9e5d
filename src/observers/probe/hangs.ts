import type { EventOf } from '../../timeline/record.ts';
import type { FinishedOperation, OperationInFlight } from './ring.ts';

type HangEvent = EventOf<'hang'>;

/** An operation that takes longer than this, in nanoseconds, is a hang. */
const hangAfterNs = 100e6;
const repeatNs = 1e9;

export interface HangWatch {
  /** Reports the operation in flight when it becomes a hang and then once a second; with `last`, in any case. */
  watch(now: number, inFlight: OperationInFlight | undefined, last?: { readonly last: true }): HangEvent[];
  /** Reports the end of a hang. */
  ended(operation: FinishedOperation): HangEvent[];
}

/** Detects hangs. Its only state is the last report. */
export function createHangWatch(probe: string): HangWatch {
  let reported: { since: number; at: number } | undefined;
  const hang = (at: number, { op, since }: OperationInFlight, over: boolean): HangEvent => ({
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
      if (reported?.since === inFlight.since && now - reported.at < repeatNs && last === undefined) return [];
      reported = { since: inFlight.since, at: now };
      return [hang(now, inFlight, false)];
    },
    ended({ op, startedAt, finishedAt }) {
      const operation = { op, since: startedAt };
      const over = hang(finishedAt, operation, true);
      // Even if it ended in time: on a busy machine the end may be seen late, after a report.
      if (reported?.since === startedAt) return [over];
      if (finishedAt - startedAt < hangAfterNs) return [];
      return [hang(startedAt + hangAfterNs, operation, false), over];
    },
  };
}
