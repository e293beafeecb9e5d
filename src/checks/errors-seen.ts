import { isSince } from '../../recovery/linux/kernel-tier.ts';
import { formatNs } from '../timeline/duration.ts';
import type { ProbeEvent } from '../timeline/record.ts';

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
  const what = `${op}${call === undefined ? '' : ` (${call})`} got ${result}`;
  if (crash === undefined) return `${what} at ${formatNs(finishedAt)}`;
  const since = finishedAt - crash;
  return `${what} ${formatNs(Math.abs(since))} ${since < 0 ? 'before' : 'after'} the crash`;
}
