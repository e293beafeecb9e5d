import type { Nanoseconds } from '../engine/model.ts';
import type { ClockPort } from '../engine/ports.ts';

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
