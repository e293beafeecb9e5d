import { formatNs } from '../timeline/duration.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import type { Consumer } from './consumer.ts';
import { describeFailure } from './errors-seen.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import { noCrash, provesReading, startedIn, wasDone, watchedOf } from './watched.ts';

/** How many operations in a row settle that an outage is over. */
export const settled = 10;

/** After the last crash the pod reads again: the last `count` operations, reads among them, were all good. */
export function readsAgain(history: readonly HistoryEvent[], consumer: Consumer, count = settled): CheckRecord {
  return concluded({ name: 'the pod reads the files again', claims: ['C3'] }, judge(history, consumer, count));
}

function judge(history: readonly HistoryEvent[], consumer: Consumer, count: number): Finding {
  const { operations, crashes } = watchedOf(history, consumer);
  const crash = crashes.at(-1);
  if (crash === undefined) return inconclusive(noCrash);
  const lost = crash.hangs.find(({ until }) => until === undefined);
  if (lost !== undefined)
    return fail(`an operation that began ${formatNs(lost.since - crash.from)} after the crash never came back`);
  const lastFailure = crash.failures.at(-1);
  if (lastFailure === undefined)
    return inconclusive('the pod saw no error after the crash, so there was nothing to recover from');

  const after = startedIn(crash, operations).filter(wasDone);
  const good = after.filter(({ startedAt }) => startedAt >= lastFailure.finishedAt);
  const failure = describeFailure(lastFailure, crash.from);
  if (good.length === 0) return fail(`the last operation failed: ${failure}`);
  if (good.length < count) {
    return inconclusive(`only ${good.length} of ${count} operations were good since the last failure: ${failure}`);
  }
  const readable = good.find((operation) => operation.op === 'read' && provesReading(operation));
  if (readable === undefined)
    return inconclusive(`no read was among the ${good.length} operations since the last failure`);
  return pass(
    `the first good read came ${formatNs(readable.finishedAt - crash.from)} after the crash, and all ${good.length} operations since were good`,
  );
}
