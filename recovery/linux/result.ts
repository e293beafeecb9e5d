import type { Failure } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';

/** What a failed call gives back, whatever it would have given. */
export interface Failed {
  readonly ok: false;
  readonly failure: Failure;
}

/** A call that worked. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export const done: Result<void> = { ok: true, value: undefined };

/** A call that did not. */
export function failed(failure: Failure): Failed {
  return { ok: false, failure };
}

/** The same result, its failure placed in the order of calls and, where the call had a descriptor only, on its path. */
export function inStep<T>(step: string, path: string, result: Result<T>): Result<T> {
  if (result.ok) return result;
  const { failure } = result;
  return failed({ ...failure, step: failure.step || step, path: failure.path || path });
}
