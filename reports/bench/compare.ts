import { type BenchPhase, benchPhases, isRecovered, phaseSamples } from './phases.ts';
import type { BenchRecord, BenchSeries } from './record.ts';
import { bootstrap, type Interval, quantile, seededRandom, shares, sortedCopy } from './statistics.ts';

export type Difference = 'better' | 'same' | 'worse' | 'cannot tell';

export interface CompareOptions {
  /** Seed of the resampling. */
  readonly seed: number;
  readonly times: number;
  /** Confidence of each single verdict. Many are given, so it is high. */
  readonly confidence: number;
  /** A difference is relevant if it exceeds this share of the reference, and `leastMs`. */
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

/** One quantile of a phase in both runs, in milliseconds, with the confidence interval of the difference. */
export interface FigureChange {
  readonly before: number;
  readonly after: number;
  readonly difference: Interval;
  /** The smallest relevant difference. */
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
  /** `19 of 20`: crashes after which the pod read again. */
  readonly recovered: readonly [before: string, after: string];
  readonly phases: readonly PhaseChange[];
  /** Verdict on the agent's phases: worse if one of them is, or if more crashes were not recovered. */
  readonly verdict: Difference;
  /** The phases, or the circumstance, that decided the verdict. */
  readonly because: string;
}

/** With fewer crashes the verdict is `cannot tell`. */
const minimumCrashes = 8;

/**
 * Compares two runs, series by series.
 *
 * A phase is worse if its median or its 90th percentile has grown by a relevant difference, at the given confidence; better if one has
 * shrunk by as much and none has grown; the same if the median has certainly not moved by a relevant difference. Otherwise the
 * verdict is `cannot tell`. Resamples keep successive crashes together (`resample`), so that temporary load is not evidence.
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
  const lost = [countLost(before), countLost(after)] as const;
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
    recovered: [formatRecovered(before), formatRecovered(after)],
    phases,
    ...judged(),
  };
}

/** Compares one phase. `samples` are milliseconds, crash by crash. */
export function comparePhase(
  phase: BenchPhase,
  samples: readonly [before: readonly number[], after: readonly number[]],
  options: CompareOptions,
): PhaseChange {
  // Each phase has a seed of its own, so that adding a phase does not change the verdicts of others.
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
  if (counts.some((count) => count < minimumCrashes)) return 'cannot tell';
  const both = [p50, p90];
  if (both.some(({ difference, margin }) => difference.low > margin)) return 'worse';
  if (both.some(({ difference, margin }) => difference.high < -margin)) return 'better';
  return p50.difference.low >= -p50.margin && p50.difference.high <= p50.margin ? 'same' : 'cannot tell';
}

const countLost = ({ crashes }: BenchSeries) => crashes.filter((crash) => !isRecovered(crash)).length;

function formatRecovered(series: BenchSeries): string {
  return `${series.crashes.length - countLost(series)} of ${series.crashes.length}`;
}

/** Differences between two runs for which they must not be compared, one sentence each. Empty if they are comparable. */
export function findDifferences(before: BenchRecord, after: BenchRecord): readonly string[] {
  const found: string[] = [];
  const differ = (what: string, one: string, other: string) => {
    if (one !== other) found.push(`${what}: ${one} and ${other}`);
  };
  differ('place', before.fidelity.place, after.fidelity.place);
  differ("the kubelet's clock", `scaled by ${before.fidelity.clockScale}`, `scaled by ${after.fidelity.clockScale}`);
  // The agent may differ: it is the subject of the comparison.
  for (const { part, is } of before.fidelity.parts.filter(({ part }) => part !== 'node agent'))
    differ(part, is, after.fidelity.parts.find((other) => other.part === part)?.is ?? 'nothing of it');
  const machine = ({ machine: { kernel, cpus, memoryBytes } }: BenchRecord) =>
    `Linux ${kernel} with ${cpus} CPUs and ${(memoryBytes / 2 ** 30).toFixed(1)} GiB`;
  differ('machine', machine(before), machine(after));
  for (const series of before.series) {
    const other = after.series.find(({ id }) => id === series.id);
    if (other) differ(`conditions of ${series.id}`, formatConditions(series), formatConditions(other));
  }
  return found;
}

function formatConditions({ conditions }: BenchSeries): string {
  return Object.entries(conditions)
    .filter(([name]) => name !== 'kernelTier')
    .map(([name, value]) => `${name} ${value}`)
    .toSorted()
    .join(', ');
}
