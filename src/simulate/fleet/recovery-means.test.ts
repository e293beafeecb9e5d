import { describe, expect, it } from 'vitest';
import type { ServicePeriod } from './daemon-life.ts';
import { alternate } from './recovery-means.ts';

/** Periods of service between the given times; each but the last ends with a crash. */
function periods(...times: readonly (readonly [from: number, to: number])[]): readonly ServicePeriod[] {
  return times.map(([from, to], index) => ({
    ...{ from, to, exit: to },
    end: index < times.length - 1 ? ('crash' as const) : undefined,
  }));
}

const shown = (a: readonly ServicePeriod[], b: readonly ServicePeriod[]) =>
  alternate(a, b, 'failed over').map(({ from, to, by }) => [from, to, by]);

describe('two daemons of which one is active', () => {
  it('the second takes the place of the first at once if it serves', () => {
    expect(shown(periods([0, 10], [15, 100]), periods([0, 100]))).toEqual([
      [0, 10, 'restarted'],
      [10, 100, 'failed over'],
    ]);
  });

  it('the first, restarted, becomes the second', () => {
    expect(shown(periods([0, 10], [15, 100]), periods([0, 50], [60, 100]))).toEqual([
      [0, 10, 'restarted'],
      [10, 50, 'failed over'],
      [50, 100, 'failed over'],
    ]);
  });

  it('if both are away, whichever is ready first serves, and pods wait for it', () => {
    expect(shown(periods([0, 10], [30, 100]), periods([0, 5], [20, 100]))).toEqual([
      [0, 10, 'restarted'],
      [20, 100, 'restarted'],
    ]);
    expect(shown(periods([0, 10], [30, 100]), periods([0, 5], [40, 100]))).toEqual([
      [0, 10, 'restarted'],
      [30, 100, 'restarted'],
    ]);
  });

  it('nothing takes the place of a daemon that hangs before it is ended', () => {
    const [first, ...others] = periods([0, 10], [80, 100]);
    const hangs = [{ ...(first as ServicePeriod), end: 'hang' as const, exit: 60 }, ...others];
    expect(shown(hangs, periods([0, 100]))).toEqual([
      [0, 10, 'restarted'],
      [60, 100, 'failed over'],
    ]);
  });
});
