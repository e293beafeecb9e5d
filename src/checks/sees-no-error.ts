import { formatNs } from '../timeline/duration.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import type { Consumer } from './consumer.ts';
import { countErrors, describeFailure } from './errors-seen.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import { provesReading, watchedOf } from './watched.ts';

/** So long an operation may be under way when it is judged, in nanoseconds: the next one has not come back yet. */
const underWay = 2e9;

/** Whatever the pod asked for it got, if late: not one operation failed, and each came back. */
export function seesNoError(history: readonly HistoryEvent[], consumer: Consumer): CheckRecord {
  return concluded({ name: 'the pod waits, and sees no error', claims: ['L4'] }, judge(history, consumer));
}

function judge(history: readonly HistoryEvent[], consumer: Consumer): Finding {
  const { events, operations, hangs } = watchedOf(history, consumer);
  const fault = events.find((event) => event.kind === 'fault');
  if (fault === undefined) return inconclusive('the history has no fault');
  const failures = operations.filter(({ result }) => result !== 'ok');
  const [first] = failures;
  if (first !== undefined) return fail(`${countErrors(failures)}; first, ${describeFailure(first, fault.at)}`);
  const end = events.at(-1)?.at ?? 0;
  const lost = hangs.find(({ since, until }) => until === undefined && end - since > underWay);
  if (lost !== undefined)
    return fail(`an operation that began ${formatNs(lost.since - fault.at)} after the fault never came back`);
  const good = operations.filter((operation) => operation.finishedAt > fault.at && provesReading(operation));
  if (good.length === 0) return inconclusive('the pod did nothing after the fault');
  const longest = Math.max(...good.map(({ at, finishedAt }) => finishedAt - at));
  return pass(`${good.length} operations were good after the fault; the longest took ${formatNs(longest)}`);
}
