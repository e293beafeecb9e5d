import { setTimeout as delay } from 'node:timers/promises';

interface PollRequest<T> {
  readonly read: () => Promise<T> | T;
  readonly until: (value: T) => boolean;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  /** Absent: waits even if the run is aborted, as a clean-up does. */
  readonly signal?: AbortSignal;
}

export interface PollOptions<T> extends PollRequest<T> {
  /** What is awaited, for the message: `pod demo-app is running`. */
  readonly condition: string;
  /** Describes the last value in the message of a timeout. */
  readonly format: (value: T) => string;
}

/** A condition did not become true in time. The message names the value that was last seen. */
export class PollTimeout extends Error {
  readonly code = 'POLL_TIMEOUT';
}

/** The only wait loop: reads a value until it satisfies a condition. @throws PollTimeout with the last value */
export async function poll<T>(options: PollOptions<T>): Promise<T> {
  const { condition, format, timeoutMs } = options;
  const { value, isMet } = await readUntil(options);
  if (isMet) return value;
  throw new PollTimeout(`${condition}: not after ${(timeoutMs / 1000).toFixed(1)} s; last seen: ${format(value)}`);
}

/** Like `poll`, but resolves with the last value after the timeout. */
export async function pollOrLast<T>(request: PollRequest<T>): Promise<T> {
  return (await readUntil(request)).value;
}

async function readUntil<T>({ read, until, timeoutMs, intervalMs = 20, signal }: PollRequest<T>) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const value = await read();
    const isMet = until(value);
    if (isMet || performance.now() > deadline) return { value, isMet };
    await delay(intervalMs, undefined, { ...(signal && { signal }) });
  }
}

/** How many times as long a machine may take that is slow but right, by `REKINDLE_TIMEOUT_MULTIPLIER`. No budget of a check depends on it. */
export function timeoutMultiplier({
  REKINDLE_TIMEOUT_MULTIPLIER = '1',
}: Readonly<Record<string, string | undefined>>): number {
  return Math.max(Number(REKINDLE_TIMEOUT_MULTIPLIER) || 1, 1);
}
