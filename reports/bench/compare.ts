import { type BenchPhase, benchPhases, isRecovered, phaseSamples } from './phases.ts';
import type { BenchRecord, BenchSeries } from './record.ts';
import { bootstrap, type Interval, quantile, seededRandom, shares, sortedCopy } from './statistics.ts';

export type Difference = 'better' | 'same' | 'worse' | 'cannot tell';

export interface CompareOptions {
  /** Of all the resampling. */
  readonly seed: number;
  readonly times: number;
  /** Of each single statement. Many are made, so it is high. */
  readonly confidence: number;
  /** A difference that matters: more than this share of the reference, and more than `leastMs`. */
  readonly tolerance: number;
  readonly leastMs: number;
}

export const compareDefaults: CompareOptions = {
  seed: 1,
  times: 1000,
  confidence: 0.99,
  tolerance: 0.05,
  leastMs: 3,
};

/** One figure of a phase in both runs, in milliseconds; the interval is that of the difference. */
export interface FigureChange {
  readonly before: number;
  readonly after: number;
  readonly difference: Interval;
  /** What a difference has to exceed to matter. */
  readonly margin: number;
}

export interface PhaseChange {
  readonly phase: BenchPhase;
  readonly counts: readonly [before: number, after: number];
  readonly p50: FigureChange;
  readonly p90: FigureChange;
  readonly verdict: Difference;
}

export interface SeriesChange {
  readonly id: string;
  readonly title: string;
  /** Crashes after which the pod read again, of all. */
  readonly recovered: readonly [before: string, after: string];
  readonly phases: readonly PhaseChange[];
  /** Of the phases in the agent's hands: worse where one is, or where a pod was lost that was not before. */
  readonly verdict: Difference;
  /** Which phases, or what else, decided. */
  readonly because: string;
}

/** The fewest crashes of which anything is said. */
const fewest = 8;

/**
 * What has changed between two runs, for each series that both have.
 *
 * A phase is worse where its median, or its 90th percentile, has grown by more than matters with the confidence asked for; better
 * where one has shrunk so and none has grown; the same where the median surely has not moved by more than matters; otherwise
 * nothing can be told. Only successive crashes are exchanged in a resample together (`resample`), so that a machine's moods do
 * not count as evidence.
 */
export function compareBenches(before: BenchRecord, after: BenchRecord, options = compareDefaults): SeriesChange[] {
  return before.series.flatMap((series) => {
    const other = after.series.find(({ id }) => id === series.id);
    return other === undefined ? [] : [compareSeries(series, other, options)];
  });
}

export function compareSeries(before: BenchSeries, after: BenchSeries, options: CompareOptions): SeriesChange {
  const phases = benchPhases.flatMap((phase) => {
    const samples = [phaseSamples(before.crashes, phase), phaseSamples(after.crashes, phase)] as const;
    return samples[0].length === 0 && samples[1].length === 0 ? [] : [comparePhase(phase, samples, options)];
  });
  const lost = [lostOf(before), lostOf(after)] as const;
  const named = (verdict: Difference) =>
    phases.flatMap(({ phase, ...change }) => (phase.byAgent && change.verdict === verdict ? phase.says : []));
  const judged = (): Pick<SeriesChange, 'verdict' | 'because'> => {
    if (lost[1] > 0 && lost[1] / after.crashes.length > lost[0] / before.crashes.length)
      return {
        verdict: 'worse',
        because: `after ${lost[1]} of ${after.crashes.length} crashes the pod did not read again; before, ${lost[0]} of ${before.crashes.length}`,
      };
    for (const verdict of ['worse', 'cannot tell', 'better'] as const)
      if (named(verdict).length > 0) return { verdict, because: named(verdict).join(', ') };
    return phases.some(({ phase }) => phase.byAgent)
      ? { verdict: 'same', because: 'nothing in the agent’s hands has changed by more than matters' }
      : { verdict: 'cannot tell', because: 'nothing in the agent’s hands was measured' };
  };
  return {
    id: before.id,
    title: after.title,
    recovered: [recoveredOf(before), recoveredOf(after)],
    phases,
    ...judged(),
  };
}

/** `samples`: milliseconds, crash by crash. */
export function comparePhase(
  phase: BenchPhase,
  samples: readonly [before: readonly number[], after: readonly number[]],
  options: CompareOptions,
): PhaseChange {
  // Each phase has its own numbers, so that one more phase changes nothing about the others.
  const random = seededRandom(options.seed + benchPhases.indexOf(phase));
  const figure = (share: number): FigureChange => {
    const [before, after] = samples.map((sample) => quantile(sortedCopy(sample), share));
    const change = ([a = new Float64Array(), b = new Float64Array()]: readonly Float64Array[]) =>
      quantile(b, share) - quantile(a, share);
    return {
      before: before ?? Number.NaN,
      after: after ?? Number.NaN,
      difference: bootstrap(samples, change, { ...options, random }),
      margin: Math.max(options.leastMs, options.tolerance * (before ?? 0)),
    };
  };
  const counts = [samples[0].length, samples[1].length] as const;
  const [p50, p90] = [figure(shares.p50), figure(shares.p90)];
  return { phase, counts, p50, p90, verdict: judge(counts, p50, p90) };
}

function judge(counts: readonly number[], p50: FigureChange, p90: FigureChange): Difference {
  if (counts.some((count) => count < fewest)) return 'cannot tell';
  const both = [p50, p90];
  if (both.some(({ difference, margin }) => difference.low > margin)) return 'worse';
  if (both.some(({ difference, margin }) => difference.high < -margin)) return 'better';
  return p50.difference.low >= -p50.margin && p50.difference.high <= p50.margin ? 'same' : 'cannot tell';
}

const lostOf = ({ crashes }: BenchSeries) => crashes.filter((crash) => !isRecovered(crash)).length;

function recoveredOf(series: BenchSeries): string {
  return `${series.crashes.length - lostOf(series)} of ${series.crashes.length}`;
}

/** Why two runs must not be compared as they are: one sentence each. Empty where they may be. */
export function findDifferences(before: BenchRecord, after: BenchRecord): readonly string[] {
  const found: string[] = [];
  const differ = (what: string, one: string, other: string) => {
    if (one !== other) found.push(`${what}: ${one} and ${other}`);
  };
  differ('place', before.fidelity.place, after.fidelity.place);
  differ("the kubelet's clock", `scaled by ${before.fidelity.clockScale}`, `scaled by ${after.fidelity.clockScale}`);
  // The agent itself is what is compared.
  for (const { part, is } of before.fidelity.parts.filter(({ part }) => part !== 'node agent'))
    differ(part, is, after.fidelity.parts.find((other) => other.part === part)?.is ?? 'nothing of it');
  const machine = ({ machine: { kernel, cpus, memoryBytes } }: BenchRecord) =>
    `Linux ${kernel} with ${cpus} CPUs and ${(memoryBytes / 2 ** 30).toFixed(1)} GiB`;
  differ('machine', machine(before), machine(after));
  for (const series of before.series) {
    const other = after.series.find(({ id }) => id === series.id);
    if (other) differ(`conditions of ${series.id}`, conditionsOf(series), conditionsOf(other));
  }
  return found;
}

function conditionsOf({ conditions }: BenchSeries): string {
  return Object.entries(conditions)
    .filter(([name]) => name !== 'kernelTier')
    .map(([name, value]) => `${name} ${value}`)
    .toSorted()
    .join(', ');
}
