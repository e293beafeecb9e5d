import type { HistoryEvent, ProbeOperation } from '../timeline/record.ts';
import type { Consumer } from './consumer.ts';
import { countErrors, describeFailure } from './errors-seen.ts';
import { type Finding, fail, inconclusive, pass } from './finding.ts';
import { noCrash, startedIn, wasDone, watchedOf } from './watched.ts';

export interface Never {
  /** Results that must not occur, not once. */
  readonly results: readonly string[];
  /** The operations that would show it; without one after each crash nothing is known. */
  readonly shownBy: ProbeOperation;
  /** What passes: `no listing lacked a file`. */
  readonly good: string;
}

/** That a result never occurs in what the probe saw, before, during and after crashes. */
export function neverSees(history: readonly HistoryEvent[], consumer: Consumer, never: Never): Finding {
  const { operations, crashes } = watchedOf(history, consumer);
  const seen = operations.filter(({ result }) => never.results.includes(result));
  const [first] = seen;
  if (first !== undefined) return fail(`${countErrors(seen)}; first, ${describeFailure(first, crashes[0]?.from)}`);
  if (crashes.length === 0) return inconclusive(noCrash);
  const blind = crashes.findIndex(
    (crash) => !startedIn(crash, operations).some((operation) => operation.op === never.shownBy),
  );
  if (blind >= 0) return inconclusive(`the probe did no ${never.shownBy} after crash ${blind + 1}`);
  const done = operations.filter((operation) => operation.op === never.shownBy && wasDone(operation)).length;
  return pass(`${never.good} in ${done} ${never.shownBy} operations`);
}
