import { describe, expect, it } from 'vitest';
import { sampleBench } from '../../../reports/bench/testing/sample-bench.ts';
import type { BackoffRow } from '../../timeline/record.ts';
import { checkBench, checkLoop, checkText } from './check.ts';
import { linearSeries } from './testing/sample-fleet.ts';

const named = (figures: ReturnType<typeof checkBench>, name: string) => figures.find((figure) => figure.name === name);

describe('a benchmark', () => {
  const points = [10, 100, 250].map((pods) => linearSeries(pods));

  it('is predicted number of pods by number of pods, each from the others', () => {
    const figures = checkBench(sampleBench({ series: points }), 1);
    for (const [pods, last] of [
      [10, 6],
      [100, 42],
      [250, 102],
    ]) {
      expect(named(figures, `${pods} pods: crash → first good read`)).toMatchObject({ measuredMs: 102, count: 5 });
      expect(named(figures, `${pods} pods: crash → first good read`)?.predictedMs).toBeCloseTo(102, 5);
      expect(named(figures, `${pods} pods: ready → last pod reads`)?.predictedMs).toBeCloseTo(last ?? 0, 5);
    }
    expect(checkText(figures).at(-1)).toBe('No prediction misses its median by more than 25 %.');
  });

  it('is not predicted from itself: a series that is unlike the others is named', () => {
    const series = [linearSeries(10), linearSeries(100, 80), linearSeries(250)];
    const figures = checkBench(sampleBench({ series }), 1);
    expect(named(figures, '100 pods: ready → last pod reads')).toMatchObject({ measuredMs: 80 });
    expect(named(figures, '100 pods: ready → last pod reads')?.predictedMs).toBeCloseTo(42, 5);
    const text = checkText(figures);
    expect(text.find((line) => line.startsWith('100 pods: ready → last'))).toMatch(/−4[78] % +5 +✘$/);
    expect(text.at(-1)).toMatch(/miss by more than 25 % of the median: .*100 pods: ready → last pod reads/);
  });

  it('is not predicted if one other series would have to say how more pods take longer', () => {
    expect(checkBench(sampleBench({ series: [linearSeries(1), linearSeries(10)] }), 1)).toHaveLength(2);
    expect(checkBench(sampleBench({ series: [linearSeries(1)] }), 1)).toEqual([]);
  });
});

describe('a crash loop', () => {
  /** Each crash takes 200 ms and the kubelet's wait on a clock that is 100 times faster. */
  const rows = [0, 10_000, 20_000, 40_000].map(
    (delayMs, index): BackoffRow => ({
      crash: index + 1,
      ranMs: 5000,
      because: index === 0 ? 'first' : 'doubled',
      predictedMs: delayMs,
      waitingNs: (delayMs / 100 + 80) * 1e6,
      recoveryNs: 120e6,
    }),
  );

  it('is predicted from the kubelet’s rules and what the other crashes took', () => {
    const figures = checkLoop(rows, 100);
    expect(figures.map(({ predictedMs, measuredMs }) => [Math.round(predictedMs), Math.round(measuredMs)])).toEqual([
      [200, 200],
      [300, 300],
      [400, 400],
      [600, 600],
      [300, 300],
    ]);
    expect(figures[1]?.name).toBe('crash loop, crash 2: 10 s (doubled)');
  });

  it('does not believe the waits of the run: one that was too short is a miss', () => {
    const [first, second, ...others] = rows;
    if (first === undefined || second === undefined) throw new Error('no rows');
    const text = checkText(checkLoop([first, { ...second, waitingNs: 1e6 }, ...others], 100));
    expect(text.at(-1)).toMatch(/ of 5 .* median: crash loop, crash 2: 10 s/);
  });

  it('begins anew after a long run', () => {
    const again = { ...(rows[0] as BackoffRow), crash: 5, ranMs: 601_000 };
    expect(checkLoop([...rows, again], 100)[4]?.name).toBe('crash loop, crash 5: 0 s (reset)');
  });
});
