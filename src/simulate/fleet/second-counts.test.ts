import { expect, it } from 'vitest';
import { SecondCounts } from './second-counts.ts';

const weekMs = 7 * 86_400_000;

it('adds up what happens in a second, and has the busiest second of each week', () => {
  const counts = new SecondCounts(14 * 86_400);
  counts.add(5500, 4);
  counts.add(5999, 3);
  counts.add(9000, 2);
  counts.add(weekMs, 1);
  counts.add(2 * weekMs + 1, 100);
  const { total, max, busiest, p50 } = counts.rate(0);
  expect({ total, max, busiest, p50 }).toEqual({ total: 10, max: 7, busiest: [7, 1], p50: 0 });
});

it('has in each second what is sent at rest', () => {
  const counts = new SecondCounts(1000);
  counts.add(0, 5);
  const { max, busiest, p50, p999, p9999 } = counts.rate(2);
  expect([max, busiest, p9999]).toEqual([7, [7], 7]);
  expect(p50).toBeCloseTo(2, 2);
  expect(p999).toBeCloseTo(2, 2);
});
