import childProcess from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { performance } from 'node:perf_hooks';
import { type BoundFunction, bindings } from '../linux/bindings.ts';

/** A synchronous call of the event loop's thread that took long. */
export interface LongCall {
  /** The function, and its first path: `openSync /proc/17/mountinfo`. */
  readonly call: string;
  /** Milliseconds, running or not. */
  readonly took: number;
}

export interface CallClock {
  /** Milliseconds from which a call is long. */
  readonly from: number;
  /** Called before each call. */
  readonly onCall: () => void;
  readonly onLong: (long: LongCall) => void;
}

/**
 * Times the calls of this thread that may wait: the functions of libc and Node's synchronous ones for files and processes. Those of libc
 * must not be bound yet.
 */
export function timeCalls({ from, onCall, onLong }: CallClock): void {
  const timed =
    <T extends (...args: never[]) => unknown>(name: string, call: T) =>
    (...args: Parameters<T>): ReturnType<T> => {
      onCall();
      const since = performance.now();
      try {
        return call(...args) as ReturnType<T>;
      } finally {
        const took = performance.now() - since;
        if (took >= from) onLong({ call: [name, args.find((arg) => typeof arg === 'string')].join(' ').trim(), took });
      }
    };
  const replace = (module: object, name: string) => {
    const call = Reflect.get(module, name);
    Reflect.set(module, name, Object.assign(timed(name, call), call));
  };
  for (const name of Object.keys(fs)) if (name.endsWith('Sync')) replace(fs, name);
  for (const name of ['spawn', 'spawnSync']) replace(childProcess, name);
  syncBuiltinESMExports();
  subscribe(bindings, (message) => {
    const bound = message as BoundFunction;
    bound.call = Object.assign(timed(bound.name, bound.call), bound.call);
  });
}
