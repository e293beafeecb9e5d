import type { Nanoseconds } from './engine/model.ts';
import type { ClockPort } from './engine/ports.ts';

/** CLOCK_MONOTONIC in nanoseconds, as a number. */
export const monotonicNow = (): number => Number(process.hrtime.bigint());

/** Longest delay of a timer in Node, about 24 days. */
const longestMs = 2 ** 31 - 1;

/** The monotonic clock. Its timers do not keep the process alive. A timer that is already due fires in the next turn. */
export const monotonicClock: ClockPort = {
  now: () => process.hrtime.bigint() as Nanoseconds,
  after(delay, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(Number(delay) / 1e6, 0), longestMs));
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** A sleep on a clock, in milliseconds. Rejects when the signal aborts. */
export const sleepBy =
  ({ after }: Pick<ClockPort, 'after'>) =>
  (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const timer = after(BigInt(Math.round(ms * 1e6)) as Nanoseconds, () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      const stop = () => {
        timer[Symbol.dispose]();
        reject(signal.reason);
      };
      signal.addEventListener('abort', stop, { once: true });
    });

const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g;

/** Parses a Go duration (`5s`, `1m30s`, `250ms`) like `time.ParseDuration`. Returns undefined for other texts and for negative durations. */
export function parseDuration(text: string): Nanoseconds | undefined {
  if (text === '0') return 0n as Nanoseconds;
  let end = 0;
  let total = 0;
  for (const match of text.matchAll(part)) {
    if (match.index !== end) return undefined;
    end += match[0].length;
    total += Number(match[1]) * (units[match[2] ?? ''] ?? Number.NaN);
  }
  if (end === 0 || end !== text.length || !Number.isSafeInteger(Math.round(total))) return undefined;
  return BigInt(Math.round(total)) as Nanoseconds;
}
