import { expect, it } from 'vitest';
import type { Outcome } from '../verbs.ts';
import { statusFor } from './exit-status.ts';

it.each<[Outcome['verdict'], readonly string[], boolean, number]>([
  ['pass', [], false, 0],
  ['fail', [], false, 1],
  ['inconclusive', [], false, 4],
  ['pass', [], true, 130],
  ['fail', [], true, 130],
  ['pass', ['a mount'], false, 5],
  ['fail', ['a mount'], true, 5],
])('%s with leftovers %j, interrupted %j, exits with %d', (verdict, leftovers, interrupted, status) => {
  expect(statusFor({ verdict, leftovers }, interrupted)).toBe(status);
});
