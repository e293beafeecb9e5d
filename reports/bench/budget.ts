import { benchPhases, headline, phaseSamples } from './phases.ts';
import type { BenchRecord } from './record.ts';
import { quantile, sortedCopy } from './statistics.ts';

/** An upper limit for a quantile of a phase. */
export interface Budget {
  /** The option's value. */
  readonly text: string;
  readonly phase: string;
  /** Quantile in [0, 1]; 1 is the maximum. */
  readonly share: number;
  readonly limitMs: number;
}

const figures: Readonly<Record<string, number>> = { min: 0, p50: 0.5, p90: 0.9, p99: 0.99, max: 1 };
/** Units per millisecond. Values are divided by these, because 700 / 1000 is exactly 0.7 and 700 × 0.001 is not. */
const units: Readonly<Record<string, number>> = { us: 1000, µs: 1000, ms: 1, s: 1 / 1000 };

/** Parses `[PHASE.]p99=50ms`; the phase defaults to the agent's. Returns a sentence if it does not parse. */
export function parseBudget(text: string): Budget | { readonly problem: string } {
  const match = /^(?:([a-z-]+)\.)?([a-z0-9]+)=(\d+(?:\.\d+)?)(us|µs|ms|s)$/.exec(text);
  const names = benchPhases.map(({ name }) => name);
  const problem = (reason: string) => ({ problem: `bad --budget ${JSON.stringify(text)}: ${reason}` });
  if (!match) return problem('expected [PHASE.]FIGURE=TIME, such as p99=50ms or outage.p50=400ms');
  const [, phase = headline.agent, figure = '', number = '', unit = ''] = match;
  if (!names.includes(phase)) return problem(`no phase ${phase}; expected one of ${names.join(', ')}`);
  const share = figures[figure];
  if (share === undefined) return problem(`no figure ${figure}; expected one of ${Object.keys(figures).join(', ')}`);
  const limitMs = Number(number) / (units[unit] ?? Number.NaN);
  return limitMs > 0 ? { text, phase, share, limitMs } : problem('the time must be above 0');
}

/** Whether a series of the agent meets a budget. */
export interface BudgetResult {
  readonly budget: Budget;
  readonly series: string;
  /** Undefined if the phase was not measured, which meets no budget. */
  readonly valueMs: number | undefined;
  readonly isMet: boolean;
}

/** A phase that did not end exceeds any budget, and so does each crash that a broken series did not reach. */
export function judgeBudget(budget: Budget, record: BenchRecord): readonly BudgetResult[] {
  const phase = benchPhases.find(({ name }) => name === budget.phase);
  return record.series
    .filter(({ arm }) => arm === 'agent')
    .map((series) => {
      const measured = phase ? phaseSamples(series.crashes, phase) : [];
      const done = new Set(series.crashes.map(({ crash }) => crash)).size;
      const absent = series.stopped === undefined ? 0 : series.asked - done;
      const missing = Array.from(
        { length: absent + series.crashes.length - measured.length },
        () => Number.POSITIVE_INFINITY,
      );
      const valueMs = measured.length === 0 ? undefined : quantile(sortedCopy([...measured, ...missing]), budget.share);
      return { budget, series: series.id, valueMs, isMet: valueMs !== undefined && valueMs <= budget.limitMs };
    });
}
