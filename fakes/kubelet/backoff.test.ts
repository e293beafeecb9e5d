import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Backoff, forgottenAfterMs, maximumDelayMs, nextRestart } from './backoff.ts';

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

describe('the delay before a container is started again', () => {
  it('is none at first, then doubles from 10 s to 300 s', () => {
    expect(delays(Array(8).fill(0))).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  });

  it('starts over after the container ran for more than ten minutes', () => {
    expect(delays([0, 0, 0, forgottenAfterMs + 1, 0])).toEqual([0, 10_000, 20_000, 0, 10_000]);
  });

  it('goes on growing after a run of exactly ten minutes', () => {
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
