import { expect, test } from 'vitest';
import { Estimate } from './progress.ts';

test('the time that is left is guessed first, and then taken from the crashes that were seen', () => {
  const estimate = new Estimate([
    { crashes: 10, guessMs: 500 },
    { crashes: 2, guessMs: 5000 },
  ]);
  expect(estimate.leftMs).toBe(15_000);
  for (let crash = 0; crash < 4; crash++) estimate.crashed(0, 300);
  expect(estimate.leftMs).toBe(6 * 300 + 10_000);
  expect(estimate.done).toEqual([4, 12]);
});
