import { formatMs } from './format.ts';
import { type BenchPhase, benchPhases, clockDisagreements, isRecovered, phaseSamples } from './phases.ts';
import type { BenchCrash, BenchRecord, BenchSeries } from './record.ts';
import {
  chanceOfMore,
  differenceInterval,
  type Interval,
  minimumSamples,
  quantile,
  shares,
  sortedCopy,
} from './statistics.ts';

export type Difference = 'better' | 'same' | 'worse' | 'cannot tell';

export interface CompareOptions {
  /** Confidence of each single "better" or "worse". A verdict rests on many, so it is high. */
  readonly confidence: number;
  /** A difference is relevant if it exceeds this share of the reference. */
  readonly tolerance: number;
}

export const compareDefaults: CompareOptions = { confidence: 0.999, tolerance: 0.15 };

/** If more of the times are negative, the quantiles that are compared may be wrong. */
const largestNegativeShare = 1 - shares.p90;

/** Beyond this factor, under load or on an idle machine, the agent's times do not follow the machine's any more. */
const largestMachineFactor = 1.5;

/** If half of the crashes stall the probe of the reference for longer, a phase of a few milliseconds is mostly a wait for a processor. */
const busyStallNs = 40e6;

/** Confidence of "same". */
const sameConfidence = 0.95;

/** One quantile of a phase in both runs, in milliseconds; the interval of the difference is absent if there are too few crashes. */
export interface FigureChange {
  readonly before: number;
  readonly after: number;
  readonly difference: Interval | undefined;
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
  /** Verdict on the agent's phases, and on what else the pods suffered. */
  readonly verdict: Difference;
  /** The phases, or the circumstances, that decided the verdict. */
  readonly because: string;
}

/** With fewer crashes the verdict is `cannot tell`. */
export const minimumCrashes = minimumSamples(shares.p50, compareDefaults.confidence);

/**
 * Compares two runs, series by series. A series is worse if
 * - the later run lacks it, it ended early, or more crashes were not recovered,
 * - mount lines, errors other than those of a dead mount (in a takeover, any), or stalls of a second became more frequent, or
 * - the median or the 90th percentile of a phase in the agent's hands has certainly grown by a relevant difference, and by more than the
 *   start of the daemon, which shows how fast the machine was (`machineFactor`). If that start took 1.5 times as long, or as much less,
 *   or if the machine of the earlier run was busy (`busyStallNs`), latencies cannot be compared.
 */
export function compareBenches(before: BenchRecord, after: BenchRecord, options = compareDefaults): SeriesChange[] {
  return before.series.map((series) => {
    const other = after.series.find(({ id }) => id === series.id);
    if (other !== undefined) return compareSeries(series, other, options);
    return {
      id: series.id,
      title: series.title,
      recovered: [formatRecovered(series), 'none'],
      phases: [],
      verdict: after.interrupted ? 'cannot tell' : 'worse',
      because: 'the later run has no such series',
    };
  });
}

export function compareSeries(before: BenchSeries, after: BenchSeries, options: CompareOptions): SeriesChange {
  const stalls = sortedCopy(before.crashes.map(({ longestStallNs }) => longestStallNs));
  // Only of the reference: an agent that now stalls the probe must not escape.
  const isBusy = quantile(stalls, shares.p50) > busyStallNs;
  const factor = (share: number) => (isBusy ? Number.POSITIVE_INFINITY : machineFactor(before, after, share));
  const factors = { p50: factor(shares.p50), p90: factor(shares.p90) };
  const phases = benchPhases.flatMap((phase) => {
    const samples = [phaseSamples(before.crashes, phase), phaseSamples(after.crashes, phase)] as const;
    return samples[0].length === 0 && samples[1].length === 0 ? [] : [comparePhase(phase, samples, options, factors)];
  });
  const busy = `the machine of the earlier run was busy: half of the crashes stalled the probe for ${formatMs(quantile(stalls, shares.p50) / 1e6)} ms`;
  const found = [...circumstances(before, after, options), ...(isBusy ? [['cannot tell', busy] as const] : [])];
  const isExplained = found.some(([verdict]) => verdict === 'cannot tell');
  const findings: readonly (readonly [Difference, string])[] = [
    ...found,
    ...phases.flatMap(({ phase, verdict }) =>
      phase.byAgent && !(isExplained && verdict === 'cannot tell') ? [[verdict, phase.says] as const] : [],
    ),
  ];
  const judged = (): Pick<SeriesChange, 'verdict' | 'because'> => {
    for (const verdict of ['worse', 'cannot tell', 'better'] as const) {
      const reasons = findings.flatMap(([each, reason]) => (each === verdict ? [reason] : []));
      if (reasons.length > 0) return { verdict, because: reasons.join(', ') };
    }
    return findings.length > 0
      ? { verdict: 'same', because: 'nothing in the agent’s hands has changed by more than matters' }
      : { verdict: 'cannot tell', because: 'nothing in the agent’s hands was measured' };
  };
  const recovered = [formatRecovered(before), formatRecovered(after)] as const;
  return { id: before.id, title: after.title, recovered, phases, ...judged() };
}

/** What happened besides latency, each with the verdict that it demands. */
function circumstances(
  before: BenchSeries,
  after: BenchSeries,
  { confidence }: CompareOptions,
): readonly (readonly [Difference, string])[] {
  const lost = [countLost(before), countLost(after)] as const;
  const growth = ({ mountLines }: BenchSeries) => (mountLines ? mountLines.after - mountLines.before : 0);
  const perCrash = (series: BenchSeries) => growth(series) / Math.max(1, series.crashes.length);
  const isBroken = ({ stopped }: BenchSeries) => stopped !== undefined && stopped !== 'interrupted';
  const disagreements = [before, after].flatMap((series) => clockDisagreements(series, largestNegativeShare));
  return [
    ...(lost[1] / after.crashes.length > lost[0] / before.crashes.length
      ? [
          [
            'worse',
            `after ${lost[1]} of ${after.crashes.length} crashes the pod did not read again; before, ${lost[0]} of ${before.crashes.length}`,
          ] as const,
        ]
      : []),
    ...(isBroken(after)
      ? [[isBroken(before) ? 'cannot tell' : 'worse', `ended early: ${after.stopped}`] as const]
      : []),
    ...(perCrash(after) > perCrash(before)
      ? [['worse', `${growth(after)} more mount lines at the end; before, ${growth(before)}`] as const]
      : []),
    ...troubles(before, after).flatMap(([name, happened]) => {
      const count = ({ crashes }: BenchSeries) => crashes.filter(happened).length;
      const chance = chanceOfMore(count(before), before.crashes.length, count(after), after.crashes.length);
      return chance < (1 - confidence) / 2
        ? [
            [
              'worse',
              `${name} after ${count(after)} of ${after.crashes.length} crashes; before, ${count(before)}`,
            ] as const,
          ]
        : [];
    }),
    ...(isComparable(machineFactor(before, after, shares.p50))
      ? []
      : [
          [
            'cannot tell',
            `the machine was ${machineFactor(before, after, shares.p50).toPrecision(2)} times as slow, by the daemon's start`,
          ] as const,
        ]),
    ...disagreements.map((reason) => ['cannot tell', reason] as const),
  ];
}

/** How a dead mount answers. */
const deadErrors: readonly string[] = ['ENOTCONN', 'ECONNABORTED'];
/** A stall that a user notices, on a machine as fast as the reference. */
const longStallNs = 1e9;

/** What a crash may bring besides its outage. */
function troubles(
  before: BenchSeries,
  after: BenchSeries,
): readonly (readonly [string, (crash: BenchCrash) => boolean])[] {
  const errnos = new Set([...before.crashes, ...after.crashes].flatMap(({ errors }) => Object.keys(errors)));
  const limit = longStallNs * Math.max(1, machineFactor(before, after, shares.p90));
  return [
    ...[...errnos]
      .filter((errno) => before.arm === 'takeover' || !deadErrors.includes(errno))
      .map((errno) => [errno, ({ errors }: BenchCrash) => (errors[errno] ?? 0) > 0] as const),
    [`stalls of ${formatMs(limit / 1e6)} ms`, ({ longestStallNs }) => longestStallNs >= limit],
  ];
}

/**
 * How much longer the daemon took to start in the later run, by a quantile: the same program does the same work, so it shows how much
 * faster or slower the machine was. 1 if it was not measured.
 */
function machineFactor(before: BenchSeries, after: BenchSeries, share: number): number {
  const starts = benchPhases.filter(({ name }) => name === 'daemon-start');
  const [a, b] = [before, after].map(({ crashes }) =>
    quantile(sortedCopy(starts.flatMap((phase) => phaseSamples(crashes, phase))), share),
  );
  return a !== undefined && b !== undefined && a > 0 && b > 0 ? b / a : 1;
}

const isComparable = (factor: number) => factor <= largestMachineFactor && factor >= 1 / largestMachineFactor;

/** Compares one phase. `samples` are milliseconds, crash by crash; `factors` are the machine's. */
export function comparePhase(
  phase: BenchPhase,
  samples: readonly [before: readonly number[], after: readonly number[]],
  { confidence, tolerance }: CompareOptions,
  factors: { readonly p50: number; readonly p90: number } = { p50: 1, p90: 1 },
): PhaseChange {
  const figure = (share: number): FigureChange => ({
    before: quantile(sortedCopy(samples[0]), share),
    after: quantile(sortedCopy(samples[1]), share),
    difference: differenceInterval(samples, { share, confidence }),
  });
  const beyond = (name: 'p50' | 'p90', factor: number, level = confidence) =>
    differenceInterval(samples, { share: shares[name], confidence: level, factor });
  const names = (['p50', 'p90'] as const).filter((name) => isComparable(factors[name]));
  const judge = (): Difference => {
    if (samples.some((values) => values.filter((value) => value < 0).length > largestNegativeShare * values.length))
      return 'cannot tell';
    if (!isComparable(factors.p50)) return 'cannot tell';
    if (names.some((name) => (beyond(name, (1 + tolerance) * Math.max(1, factors[name]))?.low ?? 0) > 0))
      return 'worse';
    if (names.some((name) => (beyond(name, (1 - tolerance) * Math.min(1, factors[name]))?.high ?? 0) < 0))
      return 'better';
    const [least, most] = [beyond('p50', 1 - tolerance, sameConfidence), beyond('p50', 1 + tolerance, sameConfidence)];
    return Math.min(...samples.map(({ length }) => length)) >= minimumCrashes &&
      least &&
      most &&
      least.low >= 0 &&
      most.high <= 0
      ? 'same'
      : 'cannot tell';
  };
  const counts = [samples[0].length, samples[1].length] as const;
  return { phase, counts, p50: figure(shares.p50), p90: figure(shares.p90), verdict: judge() };
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
