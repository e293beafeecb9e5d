import { formatNs } from '../../src/timeline/duration.ts';
import type { Recovery } from '../../src/timeline/record.ts';
import { medianOf, momentNames, type Stage, stageNs, stages } from '../../src/timeline/stages.ts';
import { type ChartSeries, linearScale, logarithmicScale, renderChart, thin, tickName } from './chart.ts';
import type { Html } from './markup.ts';

const shown: readonly { readonly stage: Stage; readonly tone: ChartSeries['tone'] }[] = [
  { name: 'outage', tone: 1 as const },
  { name: 'daemon', tone: 2 as const },
  { name: 'ready-to-readable', tone: 3 as const },
].flatMap(({ name, tone }) => stages.filter((stage) => stage.name === name).map((stage) => ({ stage, tone })));

const shownPoints = 160;

/** Renders the distribution of recoveries: for each duration, the share that took no longer (ECDF). */
export function renderEcdf(recoveries: readonly Recovery[], of: string): Html | undefined {
  const samples = shown.flatMap(({ stage, tone }) => {
    const took = recoveries.flatMap((recovery) => stageNs(recovery, stage) ?? []);
    return took.length >= 2 ? [{ name: `${momentNames[stage.from]} → ${momentNames[stage.to]}`, tone, took }] : [];
  });
  return renderDistributions(`Share of ${of} that took no longer than …`, samples);
}

export interface DurationSample {
  readonly name: string;
  readonly tone: ChartSeries['tone'];
  /** Nanoseconds, in any order. */
  readonly took: readonly number[];
  /** Number of crashes, including those that did not end. Defaults to the length of `took`. */
  readonly of?: number;
}

/** Renders several distributions in one chart. */
export function renderDistributions(
  title: string,
  unsorted: readonly DurationSample[],
  legend?: false,
): Html | undefined {
  const samples = unsorted.map((sample) => ({ ...sample, took: sample.took.toSorted((a, b) => a - b) }));
  const all = samples.flatMap(({ took }) => took);
  if (all.length === 0) return undefined;
  const highest = all.reduce((a, b) => Math.max(a, b), 1e5);
  const lowest = Math.max(
    1e4,
    all.reduce((a, b) => Math.min(a, b)),
  );
  const wide = highest / lowest > 20;
  const x = wide
    ? logarithmicScale(lowest, highest, (ns) => tickName(formatNs(ns)))
    : linearScale(highest, (ns) => tickName(formatNs(ns)));
  return renderChart({
    title,
    says: samples.map(describeSample).join('. '),
    x,
    ...(legend === false ? { legend } : {}),
    y: { from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, name: `${at * 100} %` })) },
    series: samples.map(({ name, tone, took, of = took.length }) => ({
      name,
      tone,
      as: 'step',
      points: took.length === 0 ? [] : stepsOf(took, x.from, of),
    })),
  });
}

function describeSample({ name, took, of = took.length }: DurationSample): string {
  const worst = took.at(-1);
  if (worst === undefined) return `${name}: never`;
  return `${name}: median ${formatNs(medianOf(took))}, slowest ${formatNs(worst)}, ${took.length === of ? `of ${of}` : `${took.length} of ${of}`}`;
}

function stepsOf(sorted: readonly number[], from: number, of: number): ChartSeries['points'] {
  const steps = sorted.map((value, i): readonly [number, number] => [value, (i + 1) / of]);
  return [[from, 0], ...thin(steps, shownPoints)];
}
