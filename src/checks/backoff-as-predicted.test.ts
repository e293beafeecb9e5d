import { describe, expect, it } from 'vitest';
import type { BackoffRow } from '../timeline/record.ts';
import { growsAsPredicted } from './backoff-as-predicted.ts';

const row = (change: Partial<BackoffRow> = {}): BackoffRow => ({
  crash: 1,
  ranMs: 5000,
  because: 'doubled',
  predictedMs: 20_000,
  announcedMs: 20_000,
  observedMs: 21_000,
  ...change,
});

describe('growsAsPredicted', () => {
  it.each([
    ['as predicted, a little later', {}, 'pass'],
    ['much later, as on a busy machine', { observedMs: 90_000 }, 'pass'],
    ['too early', { observedMs: 15_000 }, 'fail'],
    ['announced as another delay', { announcedMs: 40_000 }, 'fail'],
    ['never started again', { observedMs: undefined }, 'inconclusive'],
  ] as const)('judges a restart that was %s', (_, change, verdict) => {
    const { observedMs, ...rest } = row(change as Partial<BackoffRow>);
    const rows = [{ ...rest, ...(observedMs !== undefined && { observedMs }) }];
    expect(growsAsPredicted(rows).verdict).toBe(verdict);
  });

  it('is inconclusive if the crashes lacked a required kind of delay', () => {
    expect(growsAsPredicted([row()], { required: ['capped'] }).verdict).toBe('inconclusive');
    expect(growsAsPredicted([]).verdict).toBe('inconclusive');
  });

  it('names crash, prediction and what was seen instead', () => {
    expect(growsAsPredicted([row({ announcedMs: 40_000 })]).says).toBe('crash 1: 20 s predicted, 40 s announced');
  });
});
