import { describe, expect, it } from 'vitest';
import { exponentOf, lineThrough } from './fit.ts';

const points = (of: (pods: number) => number) => [1, 10, 100, 250, 1000].map((pods) => [pods, of(pods)] as const);

describe('a fit', () => {
  it('finds the line that points lie on', () => {
    expect(lineThrough(points((pods) => 4 + 0.3 * pods))).toMatchObject({
      base: expect.closeTo(4),
      slope: expect.closeTo(0.3),
      r2: expect.closeTo(1),
    });
  });

  it('tells linear from quadratic growth', () => {
    expect(exponentOf(points((pods) => 4 + 0.3 * pods))).toBeCloseTo(1, 1);
    expect(exponentOf(points((pods) => 4 + 0.001 * pods ** 2))).toBeCloseTo(2, 1);
  });

  it('is not made of two points', () => {
    expect(lineThrough(points(Number).slice(0, 2))).toBeUndefined();
    expect(exponentOf(points(Number).slice(0, 2))).toBeUndefined();
  });
});
