import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProbeColumns } from '../../src/timeline/digest.ts';
import { probeSpans } from './lanes.ts';

function operations(...results: readonly string[]): ProbeColumns {
  const columns = new ProbeColumns('p');
  results.forEach((result, i) => {
    columns.add({ op: 'read', at: i * 10, finishedAt: i * 10 + 3, result });
  });
  return columns;
}

describe('probeSpans', () => {
  it('joins what is the same in a row', () => {
    expect(probeSpans(operations('ok', 'ok', 'EIO', 'EIO', 'EIO', 'ok'))).toEqual([
      { from: 0, to: 13, result: 'ok', count: 2 },
      { from: 20, to: 43, result: 'EIO', count: 3 },
      { from: 50, to: 53, result: 'ok', count: 1 },
    ]);
    expect(probeSpans(operations())).toEqual([]);
  });

  it('never has more spans than columns, and hides no kind of a lone failure', () => {
    const result = fc.constantFrom('ok', 'ok', 'ENOTCONN', 'ECONNABORTED');
    fc.assert(
      fc.property(
        fc.array(result, { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 1, max: 50 }),
        (results, limit) => {
          const spans = probeSpans(operations(...results), limit);
          expect(spans.length).toBeLessThanOrEqual(limit + 1);
          const failed = results.some((one) => one !== 'ok');
          expect(spans.some((span) => span.result !== 'ok')).toBe(failed);
        },
      ),
    );
  });

  it('counts each operation once if nothing is merged', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('ok', 'EIO'), { maxLength: 100 }), (results) => {
        const counted = probeSpans(operations(...results)).reduce((sum, span) => sum + span.count, 0);
        expect(counted).toBe(results.length);
      }),
    );
  });
});
