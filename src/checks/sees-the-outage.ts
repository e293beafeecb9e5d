import { formatNs } from '../timeline/duration.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import type { Consumer } from './consumer.ts';
import { countErrors, describeFailure, isOutageError } from './errors-seen.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import { noCrash, startedIn, watchedOf } from './watched.ts';

/** In each crash the pod sees the errors of a dead connection, and never another one. `kernel`: `uname -r`. */
export function seesTheOutage(history: readonly HistoryEvent[], consumer: Consumer, kernel: string): CheckRecord {
  return concluded(
    { name: 'the pod sees "Transport endpoint is not connected" and no other error', claims: ['L1', 'C3'] },
    judge(history, consumer, kernel),
  );
}

function judge(history: readonly HistoryEvent[], consumer: Consumer, kernel: string): Finding {
  const { operations, hangs, crashes } = watchedOf(history, consumer);
  const failures = operations.filter(({ result }) => result !== 'ok');
  const [first] = crashes;
  const other = failures.find((failure) => !isOutageError(failure, kernel));
  if (other !== undefined) return fail(`${describeFailure(other, first?.from)}; in all, ${countErrors(failures)}`);
  if (first === undefined) return inconclusive(noCrash);
  const early = failures.find(({ finishedAt }) => finishedAt < first.from);
  if (early !== undefined) return fail(describeFailure(early, first.from));
  const stuck = hangs.find(({ until }) => until === undefined);
  if (stuck !== undefined)
    return fail(`an operation that began ${formatNs(stuck.since - first.from)} after the crash never came back`);

  for (const [index, crash] of crashes.entries()) {
    if (startedIn(crash, operations).length === 0)
      return inconclusive(`the probe did nothing after crash ${index + 1}`);
    if (crash.failures.length === 0)
      return fail(`the pod saw no error after crash ${index + 1} of ${crashes.length} (${crash.fault.fault})`);
  }
  return pass(
    `${countErrors(failures)}, and none any other error, in ${crashes.length === 1 ? 'one crash' : `${crashes.length} crashes`}`,
  );
}
