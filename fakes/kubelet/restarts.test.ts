import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Backoff, forgottenAfterMs, Holds, maximumDelayMs, nextRestart } from './restarts.ts';

function delays(runTimes: readonly number[]): number[] {
  let now = 0;
  let backoff: Backoff | undefined;
  return runTimes.map((runTime) => {
    now += runTime;
    const { delayMs, next } = nextRestart(backoff, now);
    backoff = next;
    now += delayMs;
    return delayMs;
  });
}

describe('the delay before a restart', () => {
  it('is none at first, then doubles from 10 s to 300 s', () => {
    expect(delays(Array(8).fill(0))).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  });

  it('is reset after a run of more than ten minutes', () => {
    expect(delays([0, 0, 0, forgottenAfterMs + 1, 0])).toEqual([0, 10_000, 20_000, 0, 10_000]);
  });

  it('keeps growing after a run of exactly ten minutes', () => {
    expect(delays([0, 0, forgottenAfterMs])).toEqual([0, 10_000, 20_000]);
  });

  it('never exceeds its cap and never shrinks while crashes are frequent', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: forgottenAfterMs }), { maxLength: 40 }), (runTimes) => {
        const found = delays(runTimes);
        expect(found.every((delay) => delay <= maximumDelayMs)).toBe(true);
        expect(found.every((delay, index) => index === 0 || delay >= (found[index - 1] ?? 0))).toBe(true);
      }),
    );
  });
});

const address = 'ns/pod/container';
const never = new AbortController().signal;

/** Whether a promise is settled by the end of this turn of the event loop. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise((resolve) => setImmediate(resolve, 'later'));
  return (await Promise.race([promise, later])) !== 'later';
}

describe('holds', () => {
  it('prevent starts of a container until all are released', async () => {
    const holds = new Holds();
    const first = holds.hold(address);
    const released = holds.released(address, never);
    expect(await isSettled(released)).toBe(false);
    const second = holds.hold(address);
    first[Symbol.dispose]();
    expect(await isSettled(released)).toBe(false);
    second[Symbol.dispose]();
    expect(await isSettled(released)).toBe(true);
  });

  it('do not affect other containers', async () => {
    const holds = new Holds();
    using _ = holds.hold(address);
    expect(await isSettled(holds.released('ns/pod/other', never))).toBe(true);
  });

  it('end with the pod', async () => {
    const holds = new Holds();
    using _ = holds.hold(address);
    const ended = new AbortController();
    const released = holds.released(address, ended.signal);
    ended.abort();
    expect(await isSettled(released)).toBe(true);
  });
});
