import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantile, sortedCopy } from '../../../reports/bench/statistics.ts';
import { Sketch } from './sketch.ts';

const values = fc.array(fc.double({ min: 1e-3, max: 1e10, noNaN: true }), { minLength: 1, maxLength: 300 });

function sketchOf(all: readonly number[]): Sketch {
  const sketch = new Sketch();
  for (const value of all) sketch.add(value);
  return sketch;
}

describe('a sketch', () => {
  it('has quantiles within 0.2 % of those of the values', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const exact = quantile(sortedCopy(all), share);
        expect(Math.abs(sketchOf(all).quantile(share) - exact) / exact).toBeLessThan(0.002);
      }),
    );
  });

  it('has the number, the sum and the largest of the values exactly', () => {
    fc.assert(
      fc.property(values, (all) => {
        const sketch = sketchOf(all);
        expect(sketch.count).toBe(all.length);
        expect(sketch.sum).toBe(all.reduce((sum, value) => sum + value, 0));
        expect(sketch.max).toBe(Math.max(...all));
      }),
    );
  });

  it('counts zeros, of which a second without requests is one', () => {
    const sketch = sketchOf([0, 0, 0, 7]);
    expect([sketch.quantile(0.75), sketch.quantile(0.76), sketch.shareAbove(0)]).toEqual([0, 7, 0.25]);
  });

  it('has no quantile without values', () => {
    expect(new Sketch().quantile(0.5)).toBeNaN();
    expect(new Sketch().shareAbove(1)).toBe(0);
  });

  it('knows which share is above a limit', () => {
    expect(sketchOf([1, 10, 100, 1000]).shareAbove(50)).toBe(0.5);
  });
});
