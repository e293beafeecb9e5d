import { setTimeout as delay } from 'node:timers/promises';

export interface PollOptions<T> {
  /** For the message: `pod demo-app is running`. */
  readonly what: string;
  readonly look: () => Promise<T> | T;
  readonly until: (value: T) => boolean;
  /** What to say of the last value, on time-out. */
  readonly say: (value: T) => string;
  readonly timeoutMs: number;
  readonly everyMs?: number;
  readonly signal: AbortSignal;
}

/** Something did not come true in time; the message says what was last seen instead. */
export class PollTimeout extends Error {
  readonly code = 'POLL_TIMEOUT';
}

/** The only wait there is: looks again and again until it is as wanted. @throws PollTimeout with the last value seen */
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
