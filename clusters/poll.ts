import { setTimeout as delay } from 'node:timers/promises';

export interface PollOptions<T> {
  /** What is awaited, for the message: `pod demo-app is running`. */
  readonly what: string;
  readonly look: () => Promise<T> | T;
  readonly until: (value: T) => boolean;
  /** Describes the last value in the message of a timeout. */
  readonly say: (value: T) => string;
  readonly timeoutMs: number;
  readonly everyMs?: number;
  readonly signal: AbortSignal;
}

/** A condition did not become true in time. The message names the value that was last seen. */
export class PollTimeout extends Error {
  readonly code = 'POLL_TIMEOUT';
}

/** The only wait loop: reads a value until it satisfies a condition. @throws PollTimeout with the last value */
export async function poll<T>({ what, look, until, say, timeoutMs, everyMs = 20, signal }: PollOptions<T>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const value = await look();
    if (until(value)) return value;
    if (performance.now() > deadline)
      throw new PollTimeout(`${what}: not after ${(timeoutMs / 1000).toFixed(1)} s; last seen: ${say(value)}`);
    await delay(everyMs, undefined, { signal });
  }
}
