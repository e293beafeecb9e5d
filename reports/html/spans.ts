import type { ProbeColumns } from '../../src/timeline/probe-columns.ts';

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
export function spansOf(probe: ProbeColumns, limit = 240): ProbeSpan[] {
  const spans: ProbeSpan[] = [];
  for (let i = 0; i < probe.count; i++) {
    const from = probe.at(i);
    append(spans, { from, to: from + probe.took(i), result: probe.result(i), count: 1 });
  }
  if (spans.length <= limit) return spans;

  const began = probe.at(0);
  const width = (probe.at(probe.count - 1) - began) / limit || 1;
  const merged: ProbeSpan[] = [];
  for (let i = 0; i < probe.count; ) {
    const column = Math.floor((probe.at(i) - began) / width);
    const from = probe.at(i);
    let to = from;
    let all = 0;
    const failures = new Map<string, number>();
    for (; i < probe.count && Math.floor((probe.at(i) - began) / width) === column; i++) {
      const result = probe.result(i);
      if (result !== 'ok') failures.set(result, (failures.get(result) ?? 0) + 1);
      to = Math.max(to, probe.at(i) + probe.took(i));
      all++;
    }
    const [worst] = [...failures].sort((a, b) => b[1] - a[1]);
    append(merged, { from, to, result: worst?.[0] ?? 'ok', count: worst?.[1] ?? all });
  }
  return merged;
}

/** Adds a span to the list, or to its last one where that has the same result. */
function append(spans: ProbeSpan[], span: ProbeSpan): void {
  const last = spans.at(-1);
  if (last?.result !== span.result) {
    spans.push(span);
    return;
  }
  spans[spans.length - 1] = { ...last, to: Math.max(last.to, span.to), count: last.count + span.count };
}
