import { benchPhases, phaseSamples } from '../../../reports/bench/phases.ts';
import type { BenchRecord, BenchSeries } from '../../../reports/bench/record.ts';
import { fitLine, sortedCopy } from '../../../reports/bench/statistics.ts';
import type { Draws } from './draws.ts';
import type { Spread } from './fleet-file.ts';

/** When the first and the last of a dataset's pods on a node read, in milliseconds since the daemon was ready. */
export interface PodsReadable {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** A series of a benchmark, for one number of pods. */
interface MeasuredPoint {
  readonly pods: number;
  /** In milliseconds, sorted. */
  readonly first: Float64Array;
  readonly last: Float64Array;
  readonly cpuMs: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly requests: number | undefined;
  readonly events: number | undefined;
}

/** The API requests of the agent for one recovery; events are among the requests. */
export interface ApiCost {
  readonly requests: number;
  readonly events: number;
}

/** A benchmark that cannot be used for a forecast. The message is one sentence. */
export class UnusableBench extends Error {}

/** The agent's phases as a benchmark measured them, for any number of pods. */
export class MeasuredPhases {
  /** Names the benchmark. */
  readonly source: string;
  readonly points: readonly MeasuredPoint[];
  /** From the start of the daemon's container to ready, in milliseconds, sorted. */
  readonly #starts: Float64Array;
  readonly #restPerHour: number;
  readonly #record: BenchRecord;

  /** `without`: ignore the series with this number of pods. @throws UnusableBench */
  constructor(record: BenchRecord, without?: number) {
    this.#record = record;
    this.source = `bench ${record.runId} (${record.cluster}, kernel ${record.machine.kernel}, ${record.machine.cpus} CPUs)`;
    // A series with a fidelity of its own is from the sandbox that a cluster is compared with.
    const series = record.series.filter(
      ({ arm, program, fidelity, conditions: { datasets, pods } }) =>
        arm === 'agent' && program === undefined && fidelity === undefined && datasets === 1 && pods !== without,
    );
    this.points = series.flatMap(pointOf).toSorted((a, b) => a.pods - b.pods);
    if (this.points.length === 0) throw new UnusableBench(`${this.source} has no recovery by the agent`);
    const crashes = series.flatMap((one) => one.crashes);
    this.#starts = samplesOf(crashes, 'daemon-start');
    // After a recovery of many pods, events are still being sent when the count at rest begins.
    const { during, overMs } =
      series.toSorted((a, b) => a.conditions.pods - b.conditions.pods)[0]?.apiRequests?.idle ?? {};
    this.#restPerHour = during && overMs ? (sumOf(Object.entries(during)) * 3_600_000) / overMs : 0;
  }

  /** API requests of an agent at rest, each hour. */
  get restPerHour(): number {
    return this.#restPerHour;
  }

  /** Up to which number of pods it says something: with one number there is no line beyond it. */
  get mostPods(): number {
    const measured = new Set(this.points.map(({ pods }) => pods));
    return measured.size > 1 ? Number.POSITIVE_INFINITY : (this.points[0]?.pods ?? 0);
  }

  drawStart(draws: Draws): number {
    return sampleAt(this.#starts, draws.share());
  }

  /** `share`: which of the recoveries, from the quickest (0) to the slowest (1). */
  readable(pods: number, share: number): PodsReadable {
    const firstMs = this.#between(pods, ({ first }) => sampleAt(first, share));
    const lastMs = this.#between(pods, ({ last }) => sampleAt(last, share));
    return { firstMs, lastMs: pods > 1 ? Math.max(firstMs, lastMs) : firstMs };
  }

  apiCost(pods: number): ApiCost {
    return {
      requests: this.#between(pods, ({ requests }) => requests),
      events: this.#between(pods, ({ events }) => events),
    };
  }

  /** CPU time of the agent for one recovery of all pods of a dataset, in milliseconds. */
  cpuMs(pods: number): number {
    return this.#between(pods, ({ cpuMs }) => cpuMs);
  }

  /** Memory of the agent. */
  memoryBytes(pods: number): number {
    return this.#between(pods, ({ memoryBytes }) => memoryBytes);
  }

  /** The outages of other means, if the benchmark has them: from the end of the connection to the first good read. */
  outageBy(arm: 'standby' | 'takeover'): Spread | undefined {
    const series = this.#record.series.filter((one) => (one.arm as string) === arm);
    const samples = samplesOf(
      series.flatMap(({ crashes }) => crashes),
      'outage',
    );
    return samples.length > 1 ? { median: sampleAt(samples, 0.5), p99: sampleAt(samples, 0.99) } : undefined;
  }

  /** Interpolates between the neighbouring points; beyond the first and last one, a line through all of them continues. */
  #between(pods: number, figure: (point: MeasuredPoint) => number | undefined): number {
    const known = this.points.flatMap((point): readonly (readonly [number, number])[] => {
      const value = figure(point);
      return value === undefined ? [] : [[point.pods, value]];
    });
    const after = known.findIndex(([measured]) => measured >= pods);
    const [left, right] = after > 0 ? [known[after - 1], known[after]] : [known[0], known.at(-1)];
    if (left === undefined || right === undefined) return 0;
    const isBeyond = after < 0 || (after === 0 && pods < left[0]);
    const line = isBeyond ? fitLine(known) : undefined;
    if (line !== undefined) return Math.max(0, line.base + line.slope * pods);
    if (left[0] === right[0]) return left[1];
    return Math.max(0, left[1] + ((right[1] - left[1]) * (pods - left[0])) / (right[0] - left[0]));
  }
}

/** The samples of a phase, in milliseconds, sorted. An observer may see an effect before its cause, by a little. */
function samplesOf(crashes: BenchSeries['crashes'], name: string): Float64Array {
  const phases = benchPhases.filter((phase) => phase.name === name);
  return sortedCopy(phases.flatMap((phase) => phaseSamples(crashes, phase)).map((ms) => Math.max(0, ms)));
}

function pointOf({ conditions: { pods }, crashes, agent, apiRequests }: BenchSeries): readonly MeasuredPoint[] {
  const first = samplesOf(crashes, 'ready-to-readable');
  const last = pods > 1 ? samplesOf(crashes, 'last-pod') : first;
  if (first.length === 0 || last.length === 0) return [];
  const number = Math.max(1, new Set(crashes.map(({ crash }) => crash)).size);
  const sent = apiRequests && [
    ...Object.entries(apiRequests.during),
    ...Object.entries(apiRequests.idle?.during ?? {}),
  ];
  return [
    {
      ...{ pods, first, last },
      cpuMs: agent && (agent.last.cpuMs - agent.first.cpuMs) / number,
      memoryBytes: agent?.last.anonymousBytes,
      requests: apiRequests && sent && sumOf(sent) / apiRequests.crashes,
      events: apiRequests && sent && sumOf(sent.filter(([call]) => call.endsWith(' events'))) / apiRequests.crashes,
    },
  ];
}

function sumOf(counts: readonly (readonly [call: string, count: number])[]): number {
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

/** A value between the samples, by linear interpolation. 0 if there are none. */
function sampleAt(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const [a = 0, b = a] = sorted.subarray(below, below + 2);
  return a + (b - a) * (position - below);
}
