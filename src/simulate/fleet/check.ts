import { formatMs, inColumns } from '../../../reports/bench/format.ts';
import { benchPhases, phaseSamples } from '../../../reports/bench/phases.ts';
import type { BenchRecord, BenchSeries } from '../../../reports/bench/record.ts';
import { quantile, sortedCopy } from '../../../reports/bench/statistics.ts';
import { type BackoffMemory, nextDelay, rememberRestart } from '../../backoff.ts';
import type { BackoffRow } from '../../timeline/record.ts';
import { Draws } from './draws.ts';
import { MeasuredPhases, UnusableBench } from './measured.ts';

/** A duration as the forecast's model predicts it, and as it was measured: medians, in milliseconds. */
export interface CheckedFigure {
  readonly name: string;
  readonly predictedMs: number;
  readonly measuredMs: number;
  /** Number of measurements. */
  readonly count: number;
}

const draws = 4001;
const tolerance = 0.25;

const median = (values: readonly number[]) => quantile(sortedCopy(values), 0.5);

/**
 * Predicts each series of a benchmark from its other series, so that no measurement predicts itself: when the pod with the probe
 * and the last pod read after the daemon is ready, and after the crash. The daemon's own time is given, as a fleet file gives it.
 */
export function checkBench(record: BenchRecord, seed: number): readonly CheckedFigure[] {
  const agents = record.series.filter(({ arm, conditions }) => arm === 'agent' && conditions.datasets === 1);
  return agents.flatMap((series) => {
    const { pods } = series.conditions;
    const others = otherPoints(record, pods);
    return others === undefined ? [] : checkSeries(series, others, new Draws(seed, pods));
  });
}

/** Undefined if the other series say nothing about this number of pods. */
function otherPoints(record: BenchRecord, pods: number): MeasuredPhases | undefined {
  try {
    const others = new MeasuredPhases(record, pods);
    return pods <= others.mostPods ? others : undefined;
  } catch (error) {
    if (error instanceof UnusableBench) return undefined;
    throw error;
  }
}

function checkSeries(
  { conditions: { pods }, crashes }: BenchSeries,
  others: MeasuredPhases,
  random: Draws,
): readonly CheckedFigure[] {
  const samplesOf = (name: string) =>
    benchPhases.filter((phase) => phase.name === name).flatMap((phase) => phaseSamples(crashes, phase));
  const ready = samplesOf('daemon');
  const predicted = Array.from({ length: draws }, () => {
    const { firstMs, lastMs } = others.readable(pods, random.share());
    return { firstMs, lastMs, outageMs: (ready[Math.floor(random.share() * ready.length)] ?? 0) + firstMs };
  });
  const name = `${pods} ${pods === 1 ? 'pod' : 'pods'}`;
  const figures = [
    { name: `${name}: crash → first good read`, phase: 'outage', values: predicted.map(({ outageMs }) => outageMs) },
    {
      name: `${name}: ready → first good read`,
      phase: 'ready-to-readable',
      values: predicted.map((one) => one.firstMs),
    },
    { name: `${name}: ready → last pod reads`, phase: 'last-pod', values: predicted.map((one) => one.lastMs) },
  ];
  return figures.flatMap((figure) => {
    const samples = samplesOf(figure.phase);
    if (samples.length === 0) return [];
    const { values } = figure;
    return [{ name: figure.name, predictedMs: median(values), measuredMs: median(samples), count: samples.length }];
  });
}

/**
 * Predicts each outage of a crash loop from the kubelet's rules, how long the container ran, and what the other crashes of the loop
 * took beside the kubelet's wait. `clockScale`: the factor by which the kubelet's clock was faster.
 */
export function checkLoop(rows: readonly BackoffRow[], clockScale: number): readonly CheckedFigure[] {
  let memory: BackoffMemory | undefined;
  let startedAt = 0;
  const outages = rows.flatMap(({ crash, ranMs, waitingNs, recoveryNs }) => {
    const finishedAt = startedAt + ranMs;
    const { delayMs, because } = nextDelay(memory, finishedAt);
    startedAt = finishedAt + delayMs;
    memory = rememberRestart(memory, { finishedAt, startedAt });
    if (waitingNs === undefined || recoveryNs === undefined) return [];
    const name = `crash loop, crash ${crash}: ${delayMs / 1000} s (${because})`;
    const measuredMs = (waitingNs + recoveryNs) / 1e6;
    return [{ name, waitMs: delayMs / clockScale, measuredMs }];
  });
  if (outages.length < 2) return [];
  const figures = outages.map((outage) => {
    const others = outages.filter((one) => one !== outage);
    const rest = median(others.map(({ measuredMs, waitMs }) => Math.max(0, measuredMs - waitMs)));
    const { name, measuredMs } = outage;
    return { name, predictedMs: outage.waitMs + rest, measuredMs, count: 1 };
  });
  const all = {
    name: 'crash loop, all crashes',
    predictedMs: median(figures.map(({ predictedMs }) => predictedMs)),
    measuredMs: median(figures.map(({ measuredMs }) => measuredMs)),
    count: figures.length,
  };
  return [...figures, all];
}

/** By which part of the measurement a prediction misses it. */
function missOf({ predictedMs, measuredMs }: CheckedFigure): number {
  return (predictedMs - measuredMs) / measuredMs;
}

const isMissed = (figure: CheckedFigure) => !(Math.abs(missOf(figure)) <= tolerance);

/** Predicted and measured side by side, and what is missed by more than a quarter. */
export function checkText(figures: readonly CheckedFigure[]): readonly string[] {
  const rows = figures.map((figure) => {
    const { name, predictedMs, measuredMs, count } = figure;
    const miss = missOf(figure) * 100;
    const percent = `${miss < 0 ? '−' : '+'}${Math.abs(miss).toFixed(0)} %`;
    return [name, formatMs(predictedMs), formatMs(measuredMs), percent, String(count), isMissed(figure) ? '✘' : '✔'];
  });
  const missed = figures.filter(isMissed).map(({ name }) => name);
  return [
    ...inColumns([['milliseconds, median', 'predicted', 'measured', 'miss', 'n', ''], ...rows]),
    '',
    missed.length === 0
      ? 'No prediction misses its median by more than 25 %.'
      : `${missed.length} of ${figures.length} predictions miss by more than 25 % of the median: ${missed.join('; ')}.`,
  ];
}
