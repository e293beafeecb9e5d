import { describe, expect, it } from 'vitest';
import { claims } from '../../timeline/claims.ts';
import type { CheckRecord } from '../../timeline/record.ts';
import { Timeline } from '../../timeline/timeline.ts';
import { beats, type CheckRow, cutAt, recovered, type SampleHistory } from './sample-history.ts';

/** Tests a check: inconclusive on timelines without a crash, and a table of its conclusions. */
export function suite(name: string, judge: (timeline: Timeline) => CheckRecord, rows: readonly CheckRow[]) {
  const check = (history: SampleHistory) => judge(new Timeline(history));
  describe(name, () => {
    it.each([
      ['an empty history', []],
      ['a history that ends before the fault', cutAt(199)(recovered())],
      ['a probe alone, without a fault', beats({ from: 0, to: 500 })],
    ])('is inconclusive on %s', (_, history) => {
      expect(check(history)).toMatchObject({ verdict: 'inconclusive', says: expect.stringMatching(/^\S.*[^.]$/) });
    });

    it.each(rows)('%s', (_, history, verdict, says) => {
      const record = check(history);
      expect(record).toMatchObject({ verdict, says: expect.stringContaining(says) });
      expect(check(history.toReversed())).toMatchObject({ verdict });
      for (const id of record.claims) expect(Object.keys(claims)).toContain(id);
    });
  });
}
