import { formatNs } from '../duration.ts';
import type { Recovery } from '../record.ts';
import { medianOf, momentNames, type Stage, stageNs, stages } from '../stages.ts';
import { linearScale, logarithmicScale, renderChart, type Series, thin } from './chart.ts';
import type { Html } from './markup.ts';

const shown: readonly { readonly stage: Stage; readonly tone: Series['tone'] }[] = [
  { name: 'outage', tone: 1 as const },
  { name: 'daemon', tone: 2 as const },
  { name: 'ready-to-readable', tone: 3 as const },
].flatMap(({ name, tone }) => stages.filter((stage) => stage.name === name).map((stage) => ({ stage, tone })));

const shownPoints = 160;

/** How the crashes are distributed: for each duration, the share of crashes that took no longer (ECDF). */
export function renderEcdf(recoveries: readonly Recovery[], of: string): Html | undefined {
  const samples = shown.flatMap(({ stage, tone }) => {
    const took = recoveries.flatMap((recovery) => stageNs(recovery, stage) ?? []).sort((a, b) => a - b);
    return took.length >= 2 ? [{ name: `${momentNames[stage.from]} → ${momentNames[stage.to]}`, tone, took }] : [];
  });
  if (samples.length === 0) return undefined;
  const all = samples.flatMap(({ took }) => took);
  const highest = Math.max(...all, 1e5);
  const lowest = Math.max(1e4, Math.min(...all));
  const wide = highest / lowest > 20;
  const x = wide ? logarithmicScale(lowest, highest, formatNs) : linearScale(highest, formatNs);
  return renderChart({
    title: `Share of ${of} that took no longer than …`,
    says: samples
      .map(
        ({ name, took }) =>
          `${name}: median ${formatNs(medianOf(took))}, slowest ${formatNs(took.at(-1) ?? 0)}, of ${took.length}`,
      )
      .join('. '),
    x,
    y: { from: 0, to: 1, ticks: [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, name: `${at * 100} %` })) },
    series: samples.map(({ name, tone, took }) => ({ name, tone, as: 'step', points: stepsOf(took, x.from) })),
  });
}

function stepsOf(sorted: readonly number[], from: number): Series['points'] {
  const steps = sorted.map((value, i): readonly [number, number] => [value, (i + 1) / sorted.length]);
  return [[from, 0], ...thin(steps, shownPoints)];
}
