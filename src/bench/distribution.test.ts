import { describe, expect, it } from 'vitest';
import { distributionOf } from './distribution.ts';

describe('a distribution', () => {
  it('is made of values that were measured', () => {
    expect(distributionOf([4, 1, 3, 2])).toEqual({ count: 4, min: 1, median: 2, p90: 4, worst: 4 });
  });

  it('of one sample is that sample', () => {
    expect(distributionOf([7])).toEqual({ count: 1, min: 7, median: 7, p90: 7, worst: 7 });
  });

  it('of nothing is nothing', () => {
    expect(distributionOf([])).toBeUndefined();
  });
});
