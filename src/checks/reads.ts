import type { Consumer } from '../timeline/consumer.ts';
import { type Crash, neverReturned, operationsAfter, provesReading, wasPerformed } from '../timeline/crashes.ts';
import { formatNs } from '../timeline/duration.ts';
import type { ProbeEvent, ProbeOperation } from '../timeline/record.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { type CheckResult, defineCheck, fail, inconclusive, noCrash, pass, tooShort } from './check.ts';
import { countErrors, describeFailure } from './outage.ts';
import { failUnlessBusy } from './within-budget.ts';

/** Good operations in a row that end an outage. */
export const steadyCount = 10;

/** After the last crash the pod reads again: the last `count` operations, reads among them, all succeeded. */
export const readsAgain = defineCheck(
  { name: 'the pod reads the files again', claims: ['C3'] },
  (timeline: Timeline, consumer: Consumer, count: number = steadyCount) => {
    const { operations, crashes } = timeline.observe(consumer);
    const crash = crashes.at(-1);
    if (crash === undefined) return inconclusive(noCrash);
    const lost = crash.hangs.find((hang) => neverReturned(hang, crash));
    if (lost !== undefined)
      return fail(`an operation that began ${formatNs(lost.since - crash.from)} after the crash never came back`);
    const lastFailure = crash.failures.at(-1);
    if (lastFailure === undefined)
      return inconclusive('the pod saw no error after the crash, so there was nothing to recover from');

    const good = operationsAfter(crash, operations).filter(
      (operation) => wasPerformed(operation) && operation.startedAt >= lastFailure.finishedAt,
    );
    const failure = describeFailure(lastFailure, crash.from);
    if (good.length === 0) return fail(`the last operation failed: ${failure}`);
    if (good.length < count) {
      return tooShort(`only ${good.length} of ${count} operations were good since the last failure: ${failure}`);
    }
    const readable = good.find((operation) => operation.op === 'read' && provesReading(operation));
    if (readable === undefined)
      return tooShort(`no read was among the ${good.length} operations since the last failure`);
    return pass(
      `the first good read came ${formatNs(readable.finishedAt - crash.from)} after the crash, and all ${good.length} operations since were good`,
    );
  },
);

/** The directory beneath the volume never shows, neither as an empty listing nor as a file that does not exist. */
export const seesNoEmptyDirectory = defineCheck(
  { name: 'the pod never sees an empty directory', claims: ['C3'] },
  (timeline: Timeline, consumer: Consumer, lists: boolean = true) =>
    neverSees(timeline, consumer, {
      results: ['EEMPTY', 'ENOENT'],
      // A probe that was started without listings would find a file missing.
      operation: lists ? 'list' : 'read',
      success: 'no file was missing',
    }),
);

/** Whatever the pod could read had the expected checksum. */
export const readsNoWrongData = defineCheck(
  { name: 'the pod never reads wrong data', claims: ['C3'] },
  (timeline: Timeline, consumer: Consumer) =>
    neverSees(timeline, consumer, {
      results: ['EBADSUM'],
      operation: 'read',
      success: 'no read returned other bytes',
    }),
);

interface Forbidden {
  /** Results that must not occur even once. */
  readonly results: readonly string[];
  /** The operation that would show them; without one after each crash nothing is known. */
  readonly operation: ProbeOperation;
  readonly success: string;
}

/** A blocking operation begins at most so long after the crash, in nanoseconds. */
const blockingNs = 100e6;

/** Judges that a result never occurs, before, during and after crashes. */
function neverSees(timeline: Timeline, consumer: Consumer, { results, operation, success }: Forbidden): CheckResult {
  const { operations, crashes } = timeline.observe(consumer);
  const seen = operations.filter(({ result }) => results.includes(result));
  const [first] = seen;
  if (first !== undefined) return fail(`${countErrors(seen)}; first, ${describeFailure(first, crashes[0]?.from)}`);
  if (crashes.length === 0) return inconclusive(noCrash);
  // An operation that was in flight almost from one crash to the next left no time for others.
  const isBlocked = ({ from, to }: Crash) =>
    operations.some(({ startedAt, finishedAt }) => startedAt < from + blockingNs && finishedAt >= to);
  const blind = crashes.findIndex(
    (crash) => !operationsAfter(crash, operations).some(({ op }) => op === operation) && !isBlocked(crash),
  );
  if (blind >= 0) return tooShort(`the probe did no ${operation} after crash ${blind + 1}`);
  const count = operations.filter((each) => each.op === operation && wasPerformed(each)).length;
  return pass(`${success} in ${count} ${operation} operations`);
}

/** Every operation of the pod succeeds, if late: none fails, and each returns. */
export const seesNoError = defineCheck(
  { name: 'the pod waits, and sees no error', claims: ['L4'] },
  (timeline: Timeline, consumer: Consumer) => judgeWaiting(timeline, consumer),
);

export interface StallBudget {
  readonly consumer: Consumer;
  /** The longest that one operation may wait for the successor of a daemon that has died. */
  readonly stallMs: number;
}

/**
 * A connection is taken over: no operation fails or is lost, and none waits longer than the budget for each daemon that died while it was in
 * progress, from the first of these deaths or from when it was due if that was later.
 */
export const waitsWithinBudget = defineCheck(
  { name: 'the pod waits within the budget, and no operation fails', claims: [] },
  (timeline: Timeline, { consumer, stallMs }: StallBudget) => judgeWaiting(timeline, consumer, stallMs * 1e6),
);

function judgeWaiting(timeline: Timeline, consumer: Consumer, budget = Number.POSITIVE_INFINITY): CheckResult {
  const { operations, hangs } = timeline.observe(consumer);
  const [fault] = timeline.ofKind('fault');
  if (fault === undefined) return inconclusive('the history has no fault');
  const failures = operations.filter(({ result }) => result !== 'ok');
  const [first] = failures;
  if (first !== undefined) return fail(`${countErrors(failures)}; first, ${describeFailure(first, fault.at)}`);
  const lost = hangs.find((hang) => neverReturned(hang, timeline));
  if (lost !== undefined)
    return fail(`an operation that began ${formatNs(lost.since - fault.at)} after the fault never came back`);
  const good = operations.filter((operation) => operation.finishedAt > fault.at && provesReading(operation));
  if (good.length === 0) return inconclusive('the pod did nothing after the fault');
  const deaths = timeline.daemons.filter(({ change }) => change === 'exited').map(({ at }) => at);
  const waits = good.map((operation) => waitOf(operation, deaths));
  const longest = waits.reduce((a, b) => (b.perDaemon > a.perDaemon ? b : a));
  const many = longest.daemons === 1 ? '' : ` for ${longest.daemons} daemons`;
  const figures = `${good.length} operations were good after the fault; the longest took ${formatNs(longest.waited)}${many}`;
  const each = longest.daemons === 1 ? '' : ' for each';
  if (longest.perDaemon <= budget) return pass(figures);
  const time = { operations, from: fault.at, to: longest.finishedAt };
  return failUnlessBusy(`${figures}, the budget is ${formatNs(budget)}${each}`, time);
}

/** How long an operation waited for daemons, and how many died meanwhile. */
function waitOf({ at, finishedAt }: ProbeEvent, deaths: readonly number[]) {
  const during = deaths.filter((death) => death > at && death < finishedAt);
  const since = during[0] ?? at;
  const daemons = Math.max(during.length, 1);
  const waited = finishedAt - since;
  return { daemons, waited, perDaemon: waited / daemons, finishedAt };
}
