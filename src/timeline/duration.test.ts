import { expect, it } from 'vitest';
import { clockSeconds, formatNs, formatOffset } from './duration.ts';

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

it.each([
  [0, '0'],
  [1_904_000, '1.90 ms'],
  [182_640_000, '182.6 ms'],
  [999_960_000, '1.000 s'],
  [2_412_300_000, '2.412 s'],
  [-3_000_000, '−3.00 ms'],
])('%d ns after reads %s', (ns, text) => expect(formatOffset(ns)).toBe(text));
