import { describe, expect, it } from 'vitest';
import { dueAfter, operationOf } from './schedule.ts';

describe('the probe’s schedule', () => {
  it('reads eight of ten times, lists once and stats once', () => {
    const ten = Array.from({ length: 10 }, (_, slot) => operationOf(slot)).sort();
    expect(ten).toEqual(['list', ...Array(8).fill('read'), 'stat']);
  });

  it('does not drift where the period is no whole number of nanoseconds', () => {
    expect(dueAfter(3 * 3_600, 3)).toBe(3_600_000_000_000n);
    expect(dueAfter(1, 200)).toBe(5_000_000n);
  });
});
