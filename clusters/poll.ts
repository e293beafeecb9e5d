import { setTimeout as delay } from 'node:timers/promises';

export interface PollOptions<T> {
  /** What is awaited, for the message: `pod demo-app is running`. */
  readonly condition: string;
  readonly read: () => Promise<T> | T;
  readonly until: (value: T) => boolean;
  /** Describes the last value in the message of a timeout. */
  readonly format: (value: T) => string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  readonly signal: AbortSignal;
}

/** A condition did not become true in time. The message names the value that was last seen. */
export class PollTimeout extends Error {
  readonly code = 'POLL_TIMEOUT';
}

/** The only wait loop: reads a value until it satisfies a condition. @throws PollTimeout with the last value */
export async function poll<T>(options: PollOptions<T>): Promise<T> {
  const { condition, read, until, format, timeoutMs, intervalMs = 20, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const value = await read();
    if (until(value)) return value;
    if (performance.now() > deadline)
      throw new PollTimeout(`${condition}: not after ${(timeoutMs / 1000).toFixed(1)} s; last seen: ${format(value)}`);
    await delay(intervalMs, undefined, { signal });
  }
}
