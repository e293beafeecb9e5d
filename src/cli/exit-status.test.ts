import { expect, it } from 'vitest';
import { type ExitStatus, statusFor, statusForVerdict } from './exit-status.ts';

it.each<[ExitStatus, readonly string[], boolean, number]>([
  [0, [], false, 0],
  [1, [], false, 1],
  [3, [], false, 3],
  [4, [], false, 4],
  [0, [], true, 130],
  [4, [], true, 130],
  [1, [], true, 1],
  [0, ['a mount'], false, 5],
  [1, ['a mount'], false, 1],
  [3, ['a mount'], false, 3],
  [4, ['a mount'], false, 4],
  [4, ['a mount'], true, 5],
  [1, ['a mount'], true, 1],
])('status %d with leftovers %j, interrupted %j, becomes %d', (status, leftovers, interrupted, expected) => {
  expect(statusFor({ status, leftovers, interrupted })).toBe(expected);
});

it('each verdict has a status of its own', () => {
  expect(statusForVerdict).toEqual({ pass: 0, fail: 1, inconclusive: 4 });
});
