import { describe, expect, it } from 'vitest';
import type { BackoffRow } from '../timeline/record.ts';
import { growsAsPredicted, recoveryWaitsForRestart } from './backoff-as-predicted.ts';

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
    [
      'announced as if forgotten, and may have been',
      { announcedMs: 0, ranMs: 447e3, ranAtMostMs: 734e3 },
      'inconclusive',
    ],
    ['announced as if forgotten, too early for that', { announcedMs: 0, ranMs: 447e3, ranAtMostMs: 599e3 }, 'fail'],
    [
      'not forgotten, though it was time',
      { because: 'reset', ranMs: 601e3, ranAtMostMs: 734e3, announcedMs: 40_000 },
      'fail',
    ],
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

describe('recoveryWaitsForRestart', () => {
  const short = row({ predictedMs: 0, waitingNs: 1e8, recoveryNs: 2e8 });
  const long = row({ crash: 2, predictedMs: 300_000, waitingNs: 3e9, recoveryNs: 2e8 });
  const { recoveryNs: _, ...unread } = long;

  it.each([
    ['passes if the longest delay has the longer outage', [short, long], 'pass', '3.20 s of outage after crash 2'],
    ['fails if it has not', [short, { ...long, waitingNs: 1e6, recoveryNs: 1e6 }], 'fail', '2.00 ms of outage after'],
    [
      'fails if the pod read before the restart',
      [short, { ...long, recoveryNs: -1 }],
      'fail',
      'read before the daemon',
    ],
    ['fails if the pod did not read', [short, unread], 'fail', 'did not read again after crash 2'],
    ['is inconclusive if the delays are equal', [short, short], 'inconclusive', 'equally long'],
    ['is inconclusive without a crash', [], 'inconclusive', 'equally long'],
  ] as const)('%s', (_, rows, verdict, says) => {
    expect(recoveryWaitsForRestart(rows)).toMatchObject({ verdict, says: expect.stringContaining(says) });
  });
});
