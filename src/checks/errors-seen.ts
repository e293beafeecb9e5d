import { formatNs } from '../timeline/duration.ts';
import type { ProbeEvent } from '../timeline/record.ts';

/** What a dead FUSE connection answers: ECONNABORTED to the calls that were under way, ENOTCONN to all later ones. */
export const outageErrors: ReadonlySet<string> = new Set(['ENOTCONN', 'ECONNABORTED']);

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
