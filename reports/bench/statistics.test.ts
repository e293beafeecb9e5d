import { describe, expect, it } from 'vitest';
import {
  chanceOfMore,
  differenceInterval,
  fitLine,
  growthExponent,
  minimumSamples,
  quantile,
  quantileInterval,
  ratioInterval,
  seededRandom,
  sortedCopy,
  summarize,
} from './statistics.ts';

describe('a distribution', () => {
  it('is made of values that were measured', () => {
    expect(summarize([4, 1, 3, 2], 0.95)).toMatchObject({
      count: 4,
      min: 1,
      p50: 2,
      p90: 4,
      p99: 4,
      max: 4,
    });
  });

  it('of nothing is nothing', () => {
    expect(summarize([], 0.95)).toBeUndefined();
  });
});

describe('an interval', () => {
  it.each([
    [0.5, 6],
    [0.9, 36],
    [0.99, 368],
  ])('of the quantile %d at 95 %% needs %d samples', (share, count) => {
    expect(minimumSamples(share, 0.95)).toBe(count);
    const random = seededRandom(1);
    const values = Array.from({ length: count }, random);
    expect(quantileInterval(values, share, 0.95)).toBeDefined();
    expect(quantileInterval(values.slice(1), share, 0.95)).toBeUndefined();
  });

  it.each([
    [0.5, 37, 100, { low: 40, high: 61 }],
    [0.5, 5, 6, { low: 1, high: 6 }],
    [0.9, 17, 36, { low: 29, high: 36 }],
  ])('of the quantile %d lies between the ranks that the binomial distribution gives', (share, step, count, ranks) => {
    // The step has no common divisor with the count, so each rank occurs once, and neighbours are not correlated.
    const values = Array.from({ length: count }, (_, index) => ((index * step) % count) + 1);
    expect(quantileInterval(values, share, 0.95)).toEqual(ranks);
  });

  it('is wider if neighbours are alike', () => {
    const random = seededRandom(5);
    const alone = Array.from({ length: 400 }, () => random());
    const moods = Array.from({ length: 80 }, (_, part) => alone.slice(5 * part, 5 * part + 5).sort()).flat();
    const alike = moods.map((value, at) => (value + (moods[at - 1] ?? value) + (moods[at - 2] ?? value)) / 3);
    const width = (values: readonly number[]) => {
      const { low, high } = quantileInterval(values, 0.5, 0.95) ?? { low: 0, high: 0 };
      return high - low;
    };
    expect(width(alike)).toBeGreaterThan(1.3 * width(alike.toSorted(() => random() - 0.5)));
  });

  it('of a difference has the width of both', () => {
    const random = seededRandom(2);
    const [a, b] = [0, 1].map((base) => Array.from({ length: 100 }, () => base + random()));
    const samples = [a ?? [], b ?? []] as const;
    const { low, high } = differenceInterval(samples, { share: 0.5, confidence: 0.95 }) ?? { low: 0, high: 0 };
    expect(low).toBeLessThan(1);
    expect(low).toBeGreaterThan(0.7);
    expect(high).toBeGreaterThan(1);
    const twice = differenceInterval(samples, { share: 0.5, confidence: 0.95, factor: 3 });
    expect(twice?.low).toBeLessThan(0);
    expect(differenceInterval([[1], [2]], { share: 0.5, confidence: 0.95 })).toBeUndefined();
  });

  it('of a ratio is there for positive values only', () => {
    const random = seededRandom(4);
    const values = Array.from({ length: 100 }, () => 1 + random());
    const { low, high } = ratioInterval([values, values.map((value) => 2 * value)], 0.95) ?? { low: 0, high: 0 };
    expect(low).toBeGreaterThan(1.6);
    expect(low).toBeLessThan(2);
    expect(high).toBeGreaterThan(2);
    expect(ratioInterval([values, values.map((value) => value - 1.5)], 0.95)).toBeUndefined();
  });
});

it.each([
  [0, 10, 0, 10, 1],
  [0, 10, 10, 10, 1 / 184_756],
  [1, 1, 1, 1, 1],
  [0, 2, 1, 1, 1 / 3],
])('%i of %i, then %i of %i, happens by chance with probability %d', (before, ofBefore, after, ofAfter, chance) => {
  expect(chanceOfMore(before, ofBefore, after, ofAfter)).toBeCloseTo(chance, 10);
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

  it('distinguishes linear from quadratic growth', () => {
    expect(growthExponent(points((pods) => 4 + 0.3 * pods))).toBeCloseTo(1, 1);
    expect(growthExponent(points((pods) => 4 + 0.001 * pods ** 2))).toBeCloseTo(2, 1);
  });

  it('is not made of two points', () => {
    expect(fitLine(points(Number).slice(0, 2))).toBeUndefined();
    expect(growthExponent(points(Number).slice(0, 2))).toBeUndefined();
  });
});
