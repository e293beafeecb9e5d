import type { BudgetResult } from './budget.ts';
import type { FigureChange, SeriesChange } from './compare.ts';
import { formatMs, inColumns } from './table.ts';

/** A comparison as it is printed: for each series its phases, with what decided. */
export function comparisonText(changes: readonly SeriesChange[], confidence: number): readonly string[] {
  const percent = `${Number((confidence * 100).toFixed(2))} %`;
  return changes.flatMap((change) => [
    '',
    `${change.id}: ${change.verdict} (${change.because})`,
    `  recovered: ${change.recovered[0]} before, ${change.recovered[1]} after`,
    ...inColumns([
      ['  milliseconds', 'p50', 'then', 'by', `(${percent})`, 'p90', 'then', 'by', `(${percent})`, 'n', 'verdict'],
      ...change.phases.map(({ phase, p50, p90, counts, verdict }) => [
        `  ${phase.name}${phase.isAgents ? '' : ' *'}`,
        ...figureCells(p50),
        ...figureCells(p90),
        counts[0] === counts[1] ? String(counts[0]) : counts.join('/'),
        verdict,
      ]),
    ]),
    '  * not in the agent’s hands',
  ]);
}

function figureCells({ before, after, difference }: FigureChange): readonly string[] {
  return [
    formatMs(before),
    formatMs(after),
    signed(after - before),
    `${signed(difference.low)} … ${signed(difference.high)}`,
  ];
}

function signed(milliseconds: number): string {
  const text = formatMs(milliseconds);
  return milliseconds > 0 ? `+${text}` : text;
}

/** One line for each budget and series. */
export function budgetText(results: readonly BudgetResult[]): readonly string[] {
  return results.map(({ budget, series, is, kept }) => {
    const was = is === undefined ? 'was not measured' : Number.isFinite(is) ? `is ${formatMs(is)} ms` : 'has no end';
    return `${kept ? '✔' : '✘'} budget ${budget.text}: ${series}, ${budget.phase} ${was}`;
  });
}
