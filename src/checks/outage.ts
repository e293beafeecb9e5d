import { isSince } from '../../recovery/linux/kernel-tier.ts';
import type { Consumer } from '../timeline/consumer.ts';
import { type Crash, neverReturned, operationsAfter } from '../timeline/crashes.ts';
import { formatNs } from '../timeline/duration.ts';
import type { ProbeEvent } from '../timeline/record.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { defineCheck, fail, inconclusive, noCrash, pass, tooShort } from './check.ts';

/** The first release on which FUSE reads through iomap. */
const readsThroughIomap = '6.19';

/**
 * Whether a call failed as calls on a dead FUSE connection do: ECONNABORTED if it was in flight, ENOTCONN if it came later. From
 * Linux 6.19 on, a cached read answers EIO, in flight or on a descriptor that is still open; all other calls answer as before.
 */
export function isOutageError(
  { result, call }: { readonly result: string; readonly call?: string },
  kernel: string,
): boolean {
  if (result === 'ENOTCONN' || result === 'ECONNABORTED') return true;
  return result === 'EIO' && call === 'read' && isSince(kernel, readsThroughIomap);
}

/**
 * Whether an operation failed as operations in a crash do. A request that the daemon is just reading or answering when it is killed ends with
 * EIO, if the kernel can no longer copy from or to its memory (`fuse_dev_do_read`, `fuse_dev_do_write`; seen on user-mode Linux 6.1). That
 * is the first failure of the crash. The probe counts what was due meanwhile as the same.
 */
export function isErrorOfCrash(
  operation: ProbeEvent,
  { crashes, kernel }: { readonly crashes: readonly Pick<Crash, 'failures'>[]; readonly kernel: string },
): boolean {
  const isCutOff = ({ failures: [first] }: Pick<Crash, 'failures'>) => first?.finishedAt === operation.finishedAt;
  return isOutageError(operation, kernel) || (operation.result === 'EIO' && crashes.some(isCutOff));
}

/** In each crash the pod sees the errors of a dead connection and no others. `kernel`: `uname -r`. */
export const seesTheOutage = defineCheck(
  { name: 'the pod sees "Transport endpoint is not connected" and no other error', claims: ['L1', 'C3'] },
  (timeline: Timeline, consumer: Consumer, kernel: string) => {
    const { operations, hangs, crashes } = timeline.observe(consumer);
    const failures = operations.filter(({ result }) => result !== 'ok');
    const [first] = crashes;
    const other = failures.find((failure) => !isErrorOfCrash(failure, { crashes, kernel }));
    if (other !== undefined) return fail(`${describeFailure(other, first?.from)}; in all, ${countErrors(failures)}`);
    if (first === undefined) return inconclusive(noCrash);
    const early = failures.find(({ finishedAt }) => finishedAt < first.from);
    if (early !== undefined) return fail(describeFailure(early, first.from));
    const stuck = hangs.find((hang) => neverReturned(hang, timeline));
    if (stuck !== undefined)
      return fail(`an operation that began ${formatNs(stuck.since - first.from)} after the crash never came back`);

    for (const [index, crash] of crashes.entries()) {
      if (operationsAfter(crash, operations).length === 0)
        return tooShort(`the probe did nothing after crash ${index + 1}`);
      if (crash.failures.length === 0)
        return fail(`the pod saw no error after crash ${index + 1} of ${crashes.length} (${crash.fault.fault})`);
    }
    const during = crashes.length === 1 ? 'one crash' : `${crashes.length} crashes`;
    return pass(`${countErrors(failures)}, and none any other error, in ${during}`);
  },
);

/** Whatever the pod sees of crashes and recoveries, it is the error of a dead connection. `kernel`: `uname -r`. */
export const seesNoOtherError = defineCheck(
  { name: 'the pod never sees another error than that of a dead connection', claims: ['C3'] },
  (timeline: Timeline, consumer: Consumer, kernel: string) => {
    const { operations, crashes } = timeline.observe(consumer);
    const others = operations.filter(
      (operation) => operation.result !== 'ok' && !isErrorOfCrash(operation, { crashes, kernel }),
    );
    const [first] = others;
    if (first !== undefined) return fail(`${countErrors(others)}; first, ${describeFailure(first, crashes[0]?.from)}`);
    if (crashes.length === 0) return inconclusive(noCrash);
    return pass(`none of ${operations.length} operations got one`);
  },
);

/** `41 operations got ENOTCONN, 1 ECONNABORTED`. */
export function countErrors(operations: readonly ProbeEvent[]): string {
  const counts = [...Map.groupBy(operations, ({ result }) => result)].sort(([, a], [, b]) => b.length - a.length);
  const [first, ...others] = counts.map(([result, { length }]) => ({ result, length }));
  if (first === undefined) return 'no operation failed';
  const head = `${first.length} ${first.length === 1 ? 'operation' : 'operations'} got ${first.result}`;
  return [head, ...others.map(({ result, length }) => `${length} ${result}`)].join(', ');
}

/** `read (open) got ENOENT 214 ms after the crash`. */
export function describeFailure({ op, call, result, finishedAt }: ProbeEvent, crash: number | undefined): string {
  const failure = `${op}${call === undefined ? '' : ` (${call})`} got ${result}`;
  if (crash === undefined) return `${failure} at ${formatNs(finishedAt)}`;
  const since = finishedAt - crash;
  return `${failure} ${formatNs(Math.abs(since))} ${since < 0 ? 'before' : 'after'} the crash`;
}
