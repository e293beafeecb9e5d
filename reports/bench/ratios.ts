import { formatMs } from './format.ts';
import { type BenchPhase, benchPhases, headline, phaseSamples } from './phases.ts';
import type { BenchCrash, BenchSeries } from './record.ts';
import { quantile, ratioInterval, sortedCopy } from './statistics.ts';

/** The arms under one condition, the agent first: medians in milliseconds, and their ratio to the agent's; then what operations met. */
export interface RatioTable {
  /** The varied condition, as in `pods=10/`; empty if none was. */
  readonly point: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Compares each arm with the agent under the same conditions: ratios hold even if the times depend on the machine. */
export function ratioTables(series: readonly BenchSeries[], confidence: number): readonly RatioTable[] {
  const phases = [headline.whole, headline.agent].flatMap((name) => benchPhases.filter((one) => one.name === name));
  return series
    .filter(({ arm }) => arm === 'agent')
    .flatMap((agent): readonly RatioTable[] => {
      const point = agent.id.replace(/agent$/, '');
      const others = series.filter(({ id, arm }) => arm !== 'agent' && id === `${point}${arm}`);
      if (others.length === 0) return [];
      const head = [
        'milliseconds, median',
        ...phases.flatMap(({ says }) => [says, 'ratio', '(95 %)']),
        'longest stall',
        'failed operations',
        'n',
      ];
      const rows = [agent, ...others].map((one) => [
        one.title,
        ...phases.flatMap((phase) => ratioCells({ series: one, agent, phase, confidence })),
        ...operationCells(one),
        String(new Set(one.crashes.map(({ crash }) => crash)).size),
      ]);
      return [{ point, head, rows }];
    });
}

interface Compared {
  readonly series: BenchSeries;
  readonly agent: BenchSeries;
  readonly phase: BenchPhase;
  readonly confidence: number;
}

/** Median, ratio and its interval. */
function ratioCells({ series, agent, phase, confidence }: Compared): readonly [string, string, string] {
  const [samples, reference] = [phaseSamples(series.crashes, phase), phaseSamples(agent.crashes, phase)];
  const median = (values: readonly number[]) => quantile(sortedCopy(values), 0.5);
  if (reference.length === 0) return ['-', '', ''];
  const { from } = phase;
  const began = series.crashes.some(({ moments }) => from === undefined || moments[from] !== undefined);
  if (samples.length === 0 && began) {
    const least = series.deadlineMs / median(reference);
    return [`more than ${formatMs(series.deadlineMs)}`, phase.from ? '' : `> ${times(least)}`, ''];
  }
  if (samples.length === 0) return ['-', '', ''];
  if (series === agent) return [formatMs(median(samples)), '1', ''];
  const interval = ratioInterval([reference, samples], confidence);
  const range = interval ? `${times(interval.low)} … ${times(interval.high)}` : '';
  return [formatMs(median(samples)), times(median(samples) / median(reference)), range];
}

/** Medians of the longest stall in milliseconds and of the number of failed operations; pods that are restarted have no probe. */
function operationCells({ arm, crashes }: BenchSeries): readonly [string, string] {
  if (arm === 'restart' || crashes.length === 0) return ['-', '-'];
  const median = (figure: (crash: BenchCrash) => number) => quantile(sortedCopy(crashes.map(figure)), 0.5);
  const failed = ({ errors }: BenchCrash) => Object.values(errors).reduce((sum, count) => sum + count, 0);
  return [formatMs(median(({ longestStallNs }) => longestStallNs / 1e6)), String(median(failed))];
}

const times = (ratio: number) => `${ratio >= 99.5 ? ratio.toFixed(0) : ratio.toPrecision(2)}×`;
