import type { MeansForecast } from '../../../reports/fleet/record.ts';
import { type Cause, causeNames, daemonLife, type ServicePeriod, upgradesFor } from './daemon-life.ts';
import { Draws } from './draws.ts';
import { type Fleet, yearMs } from './fleet-file.ts';
import type { ApiCost, MeasuredPhases } from './measured.ts';
import { PodGroup } from './pod-group.ts';
import { isOutage, type MeansModel, meansFor, type Service } from './recovery-means.ts';
import { quantilesOf, SecondCounts } from './second-counts.ts';
import { Sketch } from './sketch.ts';

export interface ForecastOptions {
  readonly fleet: Fleet;
  readonly measured: MeasuredPhases;
  readonly seed: number;
}

/** What has been simulated so far. */
export interface ForecastProgress {
  readonly title: string;
  /** Of all nodes with all means, from 0 to 1. */
  readonly share: number;
}

export interface Forecast {
  readonly means: readonly MeansForecast[];
  readonly ends: Readonly<Record<Cause, number>>;
}

const nodesBetweenReports = 50;
/** Streams of random numbers. Daemons have their own, so that all means meet the same crashes. */
const streams = { daemon: 1, second: 2, pods: 3 } as const;

/**
 * Simulates a fleet, node after node, once for each means of recovery, and yields between nodes. Everything that happens on a node
 * follows from the seed and its number.
 */
export function* forecastFleet(options: ForecastOptions): Generator<ForecastProgress, Forecast> {
  const { fleet, measured } = options;
  const models = meansFor(fleet, measured);
  const ends = Object.fromEntries(causeNames.map((cause) => [cause, 0])) as Record<Cause, number>;
  const means: MeansForecast[] = [];
  for (const [index, model] of models.entries()) {
    const tally = new Tally(options, model);
    for (let node = 0; node < fleet.nodes; node++) {
      if (node % nodesBetweenReports === 0)
        yield { title: model.title, share: (index + node / fleet.nodes) / models.length };
      for (let dataset = 0; dataset < fleet.datasetsPerNode; dataset++) {
        const lives = livesOf(options, model, node, dataset);
        if (index === 0) for (const { end } of lives.daemon) if (end !== undefined) ends[end]++;
        tally.addDataset(node, dataset, model.service(lives.daemon, lives.second));
      }
    }
    means.push(tally.result());
  }
  return { means, ends };
}

interface Lives {
  readonly daemon: readonly ServicePeriod[];
  readonly second: readonly ServicePeriod[];
}

function livesOf({ fleet, measured, seed }: ForecastOptions, model: MeansModel, node: number, dataset: number): Lives {
  const drawStart = fleet.daemon.start;
  const start = (draws: Draws) => (drawStart ? draws.logNormal(drawStart) : measured.drawStart(draws));
  const life = (stream: number, shift?: number) =>
    daemonLife({
      fleet,
      upgrades: upgradesFor(node, fleet, shift),
      draws: new Draws(seed, stream, node, dataset),
      start,
    });
  return {
    daemon: life(streams.daemon),
    // The DaemonSet of second daemons is rolled out at another time.
    second: model.secondDaemon ? life(streams.second, 0.75) : [],
  };
}

/** Adds up what the pods of a fleet meet with one means of recovery. */
class Tally {
  readonly #fleet: Fleet;
  readonly #seed: number;
  readonly #model: MeansModel;
  readonly #requests: SecondCounts;
  readonly #events: SecondCounts;
  readonly #end: number;
  readonly #pods: PodGroup;
  readonly #outages = new Sketch();
  readonly #downtimes = new Sketch();
  readonly #byCause = new Float64Array(causeNames.length);
  #stalls = 0;
  #unfinished = 0;
  #cpuMs = 0;

  constructor({ fleet, seed }: ForecastOptions, model: MeansModel) {
    this.#fleet = fleet;
    this.#seed = seed;
    this.#model = model;
    this.#requests = new SecondCounts(fleet.days * 86_400);
    this.#events = new SecondCounts(fleet.days * 86_400);
    this.#end = fleet.days * (yearMs / 365);
    this.#pods = new PodGroup(Math.ceil(fleet.podsPerNode / fleet.datasetsPerNode));
  }

  /** The pods of one dataset on one node. */
  addDataset(node: number, dataset: number, services: readonly Service[]): void {
    const { datasetsPerNode, podsPerNode } = this.#fleet;
    const pods = this.#pods;
    pods.reset(Math.floor(podsPerNode / datasetsPerNode) + (dataset < podsPerNode % datasetsPerNode ? 1 : 0));
    const draws = new Draws(this.#seed, streams.pods, node, dataset);
    const { api, apiPerPod, cpuMs, podsReturn, replacedAfter } = this.#model;
    const replaced = replacedAfter && (() => replacedAfter(draws));
    for (const service of services) {
      const { by, end, from, to } = service;
      if (pods.dead > 0) {
        const { baseMs, stepMs } = podsReturn(service, pods.dead, draws);
        const returned = pods.recover({ from, baseMs, stepMs, before: to }, (began, ended, kind) => {
          this.#addOutage(began, ended, kind);
          if (by === 'taken over') this.#stalls++;
          if (apiPerPod) this.#count(ended, apiPerPod);
        });
        if (returned > 0) {
          this.#count(from + baseMs, api(returned));
          this.#cpuMs += cpuMs(returned);
        }
      }
      if (end === undefined) break;
      if (isOutage(end)) pods.fail(to, causeNames.indexOf(end), replaced);
      else pods.endAll(to, this.#addOutage);
    }
    this.#unfinished += pods.dead;
    pods.endAll(this.#end, this.#addOutage);
    for (const ms of pods.downtimes) this.#downtimes.add((ms * yearMs) / this.#end);
  }

  readonly #addOutage = (began: number, ended: number, kind: number) => {
    this.#outages.add(ended - began);
    this.#byCause[kind] = (this.#byCause[kind] ?? 0) + ended - began;
  };

  #count(at: number, { requests, events }: ApiCost): void {
    this.#requests.add(at, requests);
    this.#events.add(at, events);
  }

  result(): MeansForecast {
    const { name, title, memoryBytes, restPerSecond } = this.#model;
    const { nodes, podsPerNode } = this.#fleet;
    const pods = nodes * podsPerNode;
    const years = this.#end / yearMs;
    const atRest = restPerSecond * nodes;
    const outages = this.#outages;
    return {
      name,
      title,
      outagesMs: {
        ...quantilesOf(outages),
        count: outages.count,
        stalls: this.#stalls,
        unfinished: this.#unfinished,
        longer: tailOf(outages),
      },
      unavailability: outages.sum / (pods * this.#end),
      downtimeMs: {
        ...quantilesOf(this.#downtimes),
        mean: outages.sum / (pods * years),
        meanByCause: Object.fromEntries(
          causeNames.map((cause, kind) => [cause, (this.#byCause[kind] ?? 0) / (pods * years)]),
        ),
      },
      api: {
        restPerSecond: atRest,
        requests: this.#requests.rate(atRest),
        events: this.#events.rate(0),
      },
      node: { memoryBytes, cpuMsPerYear: this.#cpuMs / nodes / years },
    };
  }
}

/** The share of outages that took longer, from the shortest to the longest one, at even steps of a logarithmic axis. */
function tailOf(outages: Sketch): MeansForecast['outagesMs']['longer'] {
  if (outages.count === 0) return [];
  const [from, to] = [outages.quantile(0), outages.max];
  const steps = 120;
  return Array.from({ length: steps + 1 }, (_, step) => {
    const ms = from * (to / from) ** (step / steps);
    return [ms, step === steps ? 0 : outages.shareAbove(ms)] as const;
  });
}
