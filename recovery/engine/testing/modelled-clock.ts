import type { Nanoseconds } from '../model.ts';
import type { ClockPort } from '../ports.ts';

/** A clock that only moves when advanced. */
export interface ModelledClock extends ClockPort {
  /** Lets time pass timer by timer, and runs everything that becomes ready after each. */
  advance(milliseconds: number): Promise<void>;
  /** Runs everything that is ready, without letting time pass. */
  settle(): Promise<void>;
}

export function createModelledClock(): ModelledClock {
  let now = 1_000_000_000n;
  const timers = new Set<{ readonly at: bigint; readonly callback: () => void }>();

  async function settle(): Promise<void> {
    // A turn of the event loop runs all microtasks; several turns, because ports may answer in a later one.
    for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
  }

  return {
    now: () => now as Nanoseconds,
    after(delay, callback) {
      const timer = { at: now + delay, callback };
      timers.add(timer);
      return { [Symbol.dispose]: () => void timers.delete(timer) };
    },
    settle,
    async advance(milliseconds) {
      const until = now + BigInt(Math.round(milliseconds * 1_000_000));
      await settle();
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= until).sort((a, b) => Number(a.at - b.at))[0];
        if (next === undefined) break;
        timers.delete(next);
        now = next.at;
        next.callback();
        await settle();
      }
      now = until;
    },
  };
}
