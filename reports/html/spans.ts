import type { ProbeEvent } from '../record.ts';

/** Probe operations in a row with the same result, from when the first was due until the last was done. */
export interface ProbeSpan {
  readonly from: number;
  readonly to: number;
  readonly result: string;
  readonly count: number;
}

/**
 * A probe's results as spans, so that ten thousand operations take no more room than ten.
 * @param limit Where results alternate so fast that there were more spans, they are merged into as many columns, each of
 *   which shows its most frequent failure; no failure is ever hidden by what went well beside it.
 */
export function spansOf(operations: readonly ProbeEvent[], limit = 240): ProbeSpan[] {
  const sorted = operations.toSorted((a, b) => a.at - b.at);
  const spans = merge(sorted.map(({ at, finishedAt, result }) => ({ from: at, to: finishedAt, result, count: 1 })));
  if (spans.length <= limit) return spans;
  const began = sorted[0]?.at ?? 0;
  const width = ((sorted.at(-1)?.at ?? 0) - began) / limit || 1;
  const columns = Map.groupBy(sorted, ({ at }) => Math.floor((at - began) / width));
  return merge(
    [...columns.values()].map((column): ProbeSpan => {
      const failures = Map.groupBy(
        column.filter(({ result }) => result !== 'ok'),
        ({ result }) => result,
      );
      const [worst] = [...failures.values()].sort((a, b) => b.length - a.length);
      const shown = worst ?? column;
      return {
        from: column[0]?.at ?? 0,
        to: Math.max(...column.map(({ finishedAt }) => finishedAt)),
        result: shown[0]?.result ?? 'ok',
        count: shown.length,
      };
    }),
  );
}

function merge(spans: readonly ProbeSpan[]): ProbeSpan[] {
  const merged: ProbeSpan[] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last?.result === span.result) {
      merged[merged.length - 1] = { ...last, to: Math.max(last.to, span.to), count: last.count + span.count };
    } else {
      merged.push(span);
    }
  }
  return merged;
}
