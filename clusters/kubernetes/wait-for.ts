import { setTimeout as delay } from 'node:timers/promises';

export interface Awaited<T> {
  /** For the message: `no node agent runs`. */
  readonly what: string;
  readonly look: () => Promise<T>;
  readonly until: (value: T) => boolean;
  readonly say: (value: T) => string;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

const everyMs = 200;

/** Looks at the cluster again and again until it is as wanted. @throws with what was seen last, when it took too long */
export async function waitFor<T>({ what, look, until, say, signal, timeoutMs = 120_000 }: Awaited<T>): Promise<T> {
  for (const deadline = performance.now() + timeoutMs; ; ) {
    signal.throwIfAborted();
    const value = await look();
    if (until(value)) return value;
    if (performance.now() > deadline)
      throw new Error(`${what}: not after ${timeoutMs / 1000} s; last seen: ${say(value)}`);
    await delay(everyMs, undefined, { signal });
  }
}
