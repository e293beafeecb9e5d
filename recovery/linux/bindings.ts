import type { NativeFunction } from './libc.ts';

/** The diagnostics channel on which each function of libc is published when it is bound. */
export const bindings = 'rekindle:libc';

/** A subscriber may replace the function. */
export interface BoundFunction {
  readonly name: string;
  call: NativeFunction;
}
