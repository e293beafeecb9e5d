import { constants } from 'node:os';
import type { Failure } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';

/** The result of a failed call, whatever value a success would have had. */
export interface Failed {
  readonly ok: false;
  readonly failure: Failure;
}

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** A success without a value. */
export const done: Result<void> = { ok: true, value: undefined };

export function failed(failure: Failure): Failed {
  return { ok: false, failure };
}

/** Adds the step to a failure, and the path if the call knew only a descriptor. The innermost step and path are kept. */
export function inStep<T>(step: string, path: string, result: Result<T>): Result<T> {
  if (result.ok) return result;
  const { failure } = result;
  return failed({ ...failure, step: failure.step || step, path: failure.path || path });
}

/** Node knows no name for these, which file systems answer. */
const names = new Map([
  [66, 'EREMOTE'],
  [117, 'EUCLEAN'],
  [121, 'EREMOTEIO'],
]);
for (const [name, number] of Object.entries(constants.errno)) {
  // If two names share a number, the kernel's own name wins.
  if (!names.has(number) || name === 'EAGAIN' || name === 'EOPNOTSUPP') names.set(number, name);
}

/** The kernel's name for an errno: `ENOTCONN` for 107; `E<number>` if Node does not know it. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `E${errno}`;
}

/** The errno name of an exception that one of Node's own calls threw. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') return errnoName(-error.errno);
  return 'EIO';
}
