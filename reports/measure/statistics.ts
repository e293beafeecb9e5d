/**
 * Measures by simulation whether the statistics of `rekindle bench` and `compare` hold, and prints three tables: `npm run
 * measure-statistics`. With results folders of `rekindle bench` as arguments it adds these runs to `fixtures/recorded.json`: runs of the
 * same code, from different hours.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareDefaults, compareSeries, minimumCrashes } from '../bench/compare.ts';
import { inColumns } from '../bench/format.ts';
import { parseBench } from '../bench/parse.ts';
import { benchPhases, headline, phaseSamples } from '../bench/phases.ts';
import type { BenchCrash, BenchSeries } from '../bench/record.ts';
import { minimumSamples, quantile, quantileInterval, seededRandom, shares, sortedCopy } from '../bench/statistics.ts';
import { addRuns, recordedSeries } from '../bench/testing/recorded.ts';

const tries = 2000;
const print = (lines: readonly string[]) => void process.stdout.write(`${lines.join('\n')}\n`);
const percent = (count: number, of: number) => (of === 0 ? '' : ((100 * count) / of).toFixed(1));
const times = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index));

/** The latencies of the agent in a recorded run, in milliseconds. */
const latencies = ({ crashes }: BenchSeries) =>
  benchPhases.filter(({ name }) => name === headline.agent).flatMap((phase) => phaseSamples(crashes, phase));

/** Shares of 95 % intervals that contain the quantile of the distribution that the values were drawn from. */
function coverage(random: () => number): readonly string[] {
  const pool = sortedCopy(recordedSeries.flatMap(latencies));
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  /** Each value depends on the one before it by 0.6; the quantiles of the normal distribution are known. */
  const correlated = (length: number) => {
    let value = normal();
    return times(length, () => (value = 0.6 * value + 0.8 * normal()));
  };
  const normalQuantiles = { p50: 0, p90: 1.281552, p99: 2.326348 };
  const rows = [6, 11, 20, 36, 50, 100, 200, 368, 500, 1000].map((length) => [
    String(length),
    ...(['p50', 'p90', 'p99'] as const).flatMap((name) => {
      if (length < minimumSamples(shares[name], 0.95)) return ['', ''];
      const covered = (draw: () => readonly number[], truth: number) => {
        const intervals = times(tries, () => quantileInterval(draw(), shares[name], 0.95)).filter(
          (each) => each !== undefined,
        );
        return percent(intervals.filter(({ low, high }) => low <= truth && truth <= high).length, intervals.length);
      };
      const independent = () => times(length, () => pool[Math.floor(random() * pool.length)] ?? 0);
      return [
        covered(independent, quantile(pool, shares[name])),
        covered(() => correlated(length), normalQuantiles[name]),
      ];
    }),
  ]);
  return inColumns([['crashes', 'p50', 'correlated', 'p90', 'correlated', 'p99', 'correlated'], ...rows]);
}

const resampled = (series: BenchSeries, length: number, random: () => number): BenchSeries => ({
  ...series,
  crashes: times(length, () => series.crashes[Math.floor(random() * series.crashes.length)]).flatMap(
    (crash) => crash ?? [],
  ),
});

const verdicts = ['worse', 'better', 'same', 'cannot tell'] as const;

function shareOfVerdicts(pairs: readonly (readonly [BenchSeries, BenchSeries])[]): readonly string[] {
  const given = pairs.map(([before, after]) => compareSeries(before, after, compareDefaults).verdict);
  return [
    String(pairs.length),
    ...verdicts.map((name) => percent(given.filter((each) => each === name).length, pairs.length)),
  ];
}

/** What `compare` says of equal runs: drawn from the same run, and recorded in different hours. */
function equalRuns(random: () => number): readonly string[] {
  const rows = [minimumCrashes, 20, 36, 50, 73, 100, 200, 400].flatMap((length) => {
    const drawn = times(tries, (index) => {
      const run = recordedSeries[index % recordedSeries.length];
      return run ? [[resampled(run, length, random), resampled(run, length, random)] as const] : [];
    }).flat();
    const windows = recordedSeries.map((run) =>
      times(Math.floor(run.crashes.length / length), (part) => ({
        ...run,
        crashes: run.crashes.slice(part * length, (part + 1) * length),
      })),
    );
    const recorded = windows.flatMap((mine, index) =>
      windows.flatMap((others, other) =>
        index === other ? [] : mine.flatMap((before) => others.map((after) => [before, after] as const)),
      ),
    );
    return [
      [`${length} drawn`, ...shareOfVerdicts(drawn)],
      ...(recorded.length > 0 ? [[`${length} recorded`, ...shareOfVerdicts(recorded)]] : []),
    ];
  });
  return inColumns([['crashes', 'pairs', ...verdicts], ...rows]);
}

/** What `compare` says if the agent takes 4 ms instead of 3 in interleaved runs, so that the machine is the same for both. */
function slowdown(random: () => number): readonly string[] {
  const [quiet] = recordedSeries.toSorted(
    (a, b) => quantile(sortedCopy(latencies(a)), 0.5) - quantile(sortedCopy(latencies(b)), 0.5),
  );
  if (quiet === undefined) return [];
  const median = quantile(sortedCopy(latencies(quiet)), 0.5);
  const later =
    (addedMs: number) =>
    (crash: BenchCrash): BenchCrash => {
      const { daemonReady = 0, readable = 0, replacedInPod = 0 } = crash.moments;
      const scaled = (moment: number) => daemonReady + ((moment - daemonReady) * 3) / median + addedMs * 1e6;
      return { ...crash, moments: { daemonReady, replacedInPod: scaled(replacedInPod), readable: scaled(readable) } };
    };
  const rows = [36, 50, 100, 200, 400].map((length) => [
    String(length),
    ...shareOfVerdicts(
      times(1000, () => {
        const drawn = () => resampled(quiet, length, random);
        const [before, after] = [drawn(), drawn()];
        return [
          { ...before, crashes: before.crashes.map(later(0)) },
          { ...after, crashes: after.crashes.map(later(1)) },
        ] as const;
      }),
    ),
  ]);
  return inColumns([['crashes', 'pairs', ...verdicts], ...rows]);
}

const folders = process.argv.slice(2);
if (folders.length > 0) {
  const file = fileURLToPath(new URL('../bench/fixtures/recorded.json', import.meta.url));
  const records = folders.map((folder) => parseBench(readFileSync(join(folder, 'bench.json'), 'utf8'), folder));
  writeFileSync(file, JSON.stringify(addRuns(records)));
  print([`${file}: now npx biome check --write reports/bench/fixtures, and this command again without arguments`]);
} else {
  const random = seededRandom(1);
  print([
    '95 % intervals that contain the quantile, in percent; crashes that are independent, and correlated by 0.6',
    ...coverage(random),
  ]);
  print(['', 'compare: verdicts on equal runs, in percent', ...equalRuns(random)]);
  print(['', 'compare: verdicts on 3 ms → 4 ms in interleaved runs, in percent', ...slowdown(random)]);
}
