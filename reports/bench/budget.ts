import { benchPhases, headline, phaseSamples } from './phases.ts';
import type { BenchRecord } from './record.ts';
import { quantile, sortedCopy } from './statistics.ts';

/** The longest that a figure of a phase may be. */
export interface Budget {
  /** As it was written. */
  readonly text: string;
  readonly phase: string;
  /** In [0, 1]; 1 is the longest. */
  readonly share: number;
  readonly limitMs: number;
}

const figures: Readonly<Record<string, number>> = { min: 0, p50: 0.5, p90: 0.9, p99: 0.99, max: 1 };
/** Of a millisecond: how many of them it has. Divided by, because 700 µs are 0.7 ms and not a little more. */
const units: Readonly<Record<string, number>> = { us: 1000, µs: 1000, ms: 1, s: 1 / 1000 };

/** `[PHASE.]p99=50ms`; without a phase it is about the agent's part. A sentence where it does not parse. */
export function parseBudget(text: string): Budget | { readonly problem: string } {
  const match = /^(?:([a-z-]+)\.)?([a-z0-9]+)=(\d+(?:\.\d+)?)(us|µs|ms|s)$/.exec(text);
  const names = benchPhases.map(({ name }) => name);
  const problem = (says: string) => ({ problem: `bad --budget ${JSON.stringify(text)}: ${says}` });
  if (!match) return problem('accepted is [PHASE.]FIGURE=TIME, as p99=50ms or outage.p50=400ms');
  const [, phase = headline.agent, figure = '', number = '', unit = ''] = match;
  if (!names.includes(phase)) return problem(`no phase ${phase}; accepted are ${names.join(', ')}`);
  const share = figures[figure];
  if (share === undefined) return problem(`no figure ${figure}; accepted are ${Object.keys(figures).join(', ')}`);
  const limitMs = Number(number) / (units[unit] ?? Number.NaN);
  return limitMs > 0 ? { text, phase, share, limitMs } : problem('a time above 0 is accepted');
}

/** How a run stands to a budget, for each of its series of the agent. */
export interface BudgetResult {
  readonly budget: Budget;
  readonly series: string;
  /** Milliseconds; undefined where the phase was not measured, which keeps no budget. */
  readonly is: number | undefined;
  readonly kept: boolean;
}

/** A crash after which the phase did not end took longer than any budget. */
export function judgeBudget(budget: Budget, record: BenchRecord): readonly BudgetResult[] {
  const phase = benchPhases.find(({ name }) => name === budget.phase);
  return record.series
    .filter(({ arm }) => arm === 'agent')
    .map((series) => {
      const measured = phase ? phaseSamples(series.crashes, phase) : [];
      const missing = Array.from({ length: series.crashes.length - measured.length }, () => Number.POSITIVE_INFINITY);
      const is = measured.length === 0 ? undefined : quantile(sortedCopy([...measured, ...missing]), budget.share);
      return { budget, series: series.id, is, kept: is !== undefined && is <= budget.limitMs };
    });
}
