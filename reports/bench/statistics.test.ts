import { describe, expect, it } from 'vitest';
import {
  bootstrap,
  fitLine,
  growthExponent,
  minimumSamples,
  quantile,
  seededRandom,
  sortedCopy,
  summarize,
} from './statistics.ts';

const resampling = (seed = 1) => ({ random: seededRandom(seed), times: 500, confidence: 0.95 });

describe('a distribution', () => {
  it('is made of values that were measured', () => {
    expect(summarize([4, 1, 3, 2], resampling())).toMatchObject({
      count: 4,
      min: 1,
      p50: 2,
      p90: 4,
      p99: 4,
      max: 4,
    });
  });

  it('of nothing is nothing', () => {
    expect(summarize([], resampling())).toBeUndefined();
  });

  it('is the same with the same seed', () => {
    const values = Array.from({ length: 50 }, (_, index) => (index * 37) % 50);
    expect(summarize(values, resampling(7))).toEqual(summarize(values, resampling(7)));
  });
});

describe('an interval', () => {
  it.each([
    [0.5, 6],
    [0.9, 36],
    [0.99, 368],
  ])('of the quantile %d at 95 %% needs %d samples', (share, count) => {
    expect(minimumSamples(share, 0.95)).toBe(count);
    const intervals = (length: number) =>
      Object.values(
        summarize(
          Array.from({ length }, (_, i) => i),
          resampling(),
        )?.intervals ?? {},
      ).length;
    expect(intervals(count)).toBe(intervals(count - 1) + 1);
  });

  it('holds the true median in most of many tries', () => {
    const random = seededRandom(3);
    const holds = Array.from({ length: 200 }, (_, index) => {
      const values = Array.from({ length: 60 }, () => random());
      const { low, high } = bootstrap([values], ([one = new Float64Array()]) => quantile(one, 0.5), resampling(index));
      return low <= 0.5 && high >= 0.5;
    });
    const share = holds.filter(Boolean).length / holds.length;
    expect(share).toBeGreaterThan(0.85);
    expect(share).toBeLessThan(1);
  });

  it('is wider where neighbours are alike', () => {
    const random = seededRandom(5);
    const alone = Array.from({ length: 120 }, () => random());
    const moods = alone.toSorted((a, b) => a - b);
    const width = (values: readonly number[]) => {
      const median = ([one = new Float64Array()]: readonly Float64Array[]) => quantile(one, 0.5);
      const { low, high } = bootstrap([values], median, resampling());
      return high - low;
    };
    expect(width(moods)).toBeGreaterThan(1.3 * width(alone));
  });
});

describe('a quantile', () => {
  it.each([
    [0, 1],
    [0.5, 2],
    [0.9, 4],
    [1, 4],
  ])('at %d is %d', (share, value) => {
    expect(quantile(sortedCopy([3, 1, 4, 2]), share)).toBe(value);
  });
});

const points = (of: (pods: number) => number) => [1, 10, 100, 250, 1000].map((pods) => [pods, of(pods)] as const);

describe('a fit', () => {
  it('finds the line that points lie on', () => {
    expect(fitLine(points((pods) => 4 + 0.3 * pods))).toMatchObject({
      base: expect.closeTo(4),
      slope: expect.closeTo(0.3),
      r2: expect.closeTo(1),
    });
  });

  it('tells linear from quadratic growth', () => {
    expect(growthExponent(points((pods) => 4 + 0.3 * pods))).toBeCloseTo(1, 1);
    expect(growthExponent(points((pods) => 4 + 0.001 * pods ** 2))).toBeCloseTo(2, 1);
  });

  it('is not made of two points', () => {
    expect(fitLine(points(Number).slice(0, 2))).toBeUndefined();
    expect(growthExponent(points(Number).slice(0, 2))).toBeUndefined();
  });
});
