import type { Nanoseconds } from '../engine/model.ts';
import type { ClockPort } from '../engine/ports.ts';

/** Longest delay of a timer in Node, some 24 days. */
const longestMs = 2 ** 31 - 1;

/** The machine's monotonic clock. Its timers do not keep the process alive; one that is due already fires in the next turn. */
export const monotonicClock: ClockPort = {
  now: () => process.hrtime.bigint() as Nanoseconds,
  after(delay, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(Number(delay) / 1e6, 0), longestMs));
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
