import { expect, it } from 'vitest';
import { clockSeconds, formatNs } from './duration.ts';

it.each([
  [0, '0 ms'],
  [850_400, '850 µs'],
  [999_960, '1.00 ms'],
  [3_204_000, '3.20 ms'],
  [99_960_000, '100 ms'],
  [1_940_000_000, '1.94 s'],
  [125_000_000_000, '2 min 05 s'],
  [-2_000_000, '−2.00 ms'],
])('%d ns reads %s', (ns, text) => expect(formatNs(ns)).toBe(text));

it('writes seconds for a column', () => expect(clockSeconds(12_345_600_000)).toBe('12.346'));
