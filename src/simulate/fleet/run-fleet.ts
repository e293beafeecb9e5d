import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { parseBench } from '../../../reports/bench/parse.ts';
import { renderFleet } from '../../../reports/fleet/html.ts';
import { type FleetRecord, fleetSchema } from '../../../reports/fleet/record.ts';
import { fleetText } from '../../../reports/fleet/text.ts';
import type { Environment } from '../../environment.ts';
import type { RunId } from '../../run-id.ts';
import { formatNs } from '../../timeline/duration.ts';
import { UnreadableRun } from '../../timeline/parse.ts';
import { version } from '../../version.ts';
import { BadFile } from '../../yaml-file.ts';
import { type Fleet, parseFleet, type Spread } from './fleet-file.ts';
import { type Forecast, type ForecastProgress, forecastFleet } from './forecast.ts';
import { MeasuredPhases, UnusableBench } from './measured.ts';
import { goalTakeover, spikeStandby } from './recovery-means.ts';

const shipped = join(import.meta.dirname, 'fleets');
/** A benchmark of this code, which stands in for the user's own. */
const shippedBench = join(import.meta.dirname, 'measured.json');

/** Names of the shipped fleets, sorted. */
export function fleetNames(): readonly string[] {
  return readdirSync(shipped)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();
}

export interface FleetOptions {
  /** Path of a file, or the name of a shipped fleet. */
  readonly file: string;
  readonly seed: number;
  readonly runId: RunId;
  /** Existing folder in which the folder of this forecast is created. */
  readonly out: string;
  readonly environment: Environment;
}

export interface LoadedFleet {
  readonly fleet: Fleet;
  readonly measured: MeasuredPhases;
}

/** Reads a fleet and the benchmark that it names. @throws BadFile */
export function loadFleet(given: string, cwd: string): LoadedFleet {
  const isPath = given.includes('/') || /\.ya?ml$/.test(given);
  if (!isPath && !fleetNames().includes(given))
    throw new BadFile(given, [
      { says: `no such fleet; known: ${fleetNames().join(', ')}, or the path of a YAML file` },
    ]);
  const path = isPath ? resolve(cwd, given) : join(shipped, `${given}.yaml`);
  const fleet = parseFleet(readText(path, given), given);
  const refuse = (says: string, cause?: unknown) => new BadFile(given, [{ says }], { cause });
  try {
    const bench = fleet.measured === undefined ? shippedBench : resolve(dirname(path), fleet.measured);
    const measured = new MeasuredPhases(parseBench(readText(bench, given), fleet.measured ?? basename(bench)));
    const pods = Math.ceil(fleet.podsPerNode / fleet.datasetsPerNode);
    if (pods > measured.mostPods)
      throw refuse(
        `measured names a benchmark of ${measured.mostPods} pods of a dataset, and a node has ${pods}: measure it with --vary pods=1,${pods}`,
      );
    return { fleet, measured };
  } catch (error) {
    if (error instanceof UnreadableRun) throw refuse(`measured cannot be read: ${error.problems.join('; ')}`, error);
    if (error instanceof UnusableBench) throw refuse(`measured cannot be used: ${error.message}`, error);
    throw error;
  }
}

function readText(path: string, given: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BadFile(given, [{ says: `${path} cannot be read: ${code}` }], { cause: error });
  }
}

/** Simulates a fleet, prints the figures, and writes `fleet.json` and `fleet.html`. Undefined if it was interrupted. */
export async function runFleet(options: FleetOptions): Promise<FleetRecord | undefined> {
  const { environment, file, out, runId, seed } = options;
  const { fleet, measured } = loadFleet(file, environment.cwd);
  const tell = (line: string) => void environment.stderr.write(`… ${line}\n`);
  const pods = fleet.nodes * fleet.podsPerNode;
  tell(`${pods} pods with ${fleet.compare.length} means of recovery; seed ${seed}`);
  const began = performance.now();
  const forecast = await drive(forecastFleet({ fleet, measured, seed }), tell, environment.signal);
  if (forecast === undefined) {
    tell('interrupted: nothing was written, because a part of a fleet is no forecast');
    return undefined;
  }
  const record: FleetRecord = {
    ...{ schema: fleetSchema, runId, rekindle: version, seed, file },
    fleet: { ...pick(fleet), input: fleet },
    sources: sourcesOf(fleet, measured),
    ...forecast,
    cost: costSince(began),
  };
  const folder = join(out, runId);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'fleet.json'), `${JSON.stringify(record)}\n`);
  writeFileSync(join(folder, 'fleet.html'), renderFleet(record));
  for (const line of fleetText(record)) environment.stdout.write(`${line}\n`);
  environment.stdout.write(`${folder}/fleet.json  (fleet.html shows it)\n`);
  return record;
}

/** What this process has taken; CPU time from its start, which is all but a moment for the simulation. */
function costSince(began: number): FleetRecord['cost'] {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return {
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakBytes: maxRSS * 1024,
  };
}

const reportEveryMs = 2000;
/** How long the simulation keeps the process from noticing Ctrl-C. */
const turnMs = 50;

/** Runs a forecast to its end, and reports progress. Undefined if the signal aborts. */
async function drive(
  running: Generator<ForecastProgress, Forecast>,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<Forecast | undefined> {
  const began = performance.now();
  let [reported, turned] = [began, began];
  for (;;) {
    if (signal.aborted) return undefined;
    const step = running.next();
    if (step.done) return step.value;
    const now = performance.now();
    if (now - turned >= turnMs) {
      await turn();
      turned = performance.now();
    }
    if (now - reported < reportEveryMs) continue;
    reported = now;
    const { title, share } = step.value;
    const leftMs = share > 0 ? ((now - began) * (1 - share)) / share : 0;
    tell(`${title}: ${(share * 100).toFixed(0)} % of all; about ${formatNs(leftMs * 1e6)} left`);
  }
}

function pick({ nodes, podsPerNode, datasetsPerNode, days }: Fleet) {
  return { nodes, podsPerNode, datasetsPerNode, days };
}

/** Where each figure comes from: the fleet file, a benchmark, a source that was read, or a guess that says so. */
function sourcesOf({ daemon, standby, takeover }: Fleet, measured: MeasuredPhases): FleetRecord['sources'] {
  const pods = measured.points.map((point) => point.pods).join(', ');
  const outage = (given: Spread | undefined, arm: 'standby' | 'takeover', fallback: string) =>
    given ? 'the fleet file' : measured.outageBy(arm) ? measured.source : fallback;
  const inWords = ({ median, p99 }: Spread) => `median ${formatNs(median * 1e6)}, p99 ${formatNs(p99 * 1e6)}`;
  return [
    {
      figure: 'how often daemons end, upgrades, age of pods',
      source: 'the fleet file; unless it says, a pod lives 7 days',
    },
    {
      figure: "the kubelet's back-off and lateness",
      source:
        "the fleet file; by default the kubelet's source: 10 s doubled to 300 s, reset after 600 s; it notices an end within 1 s, and a wait that is over within 15 s",
    },
    { figure: "the daemon's start", source: daemon.start ? 'the fleet file' : measured.source },
    {
      figure: "the agent's phases, API requests, CPU and memory",
      source: `${measured.source}, with ${pods} pods of a dataset; a line between and beyond them. No recovery is slower than the slowest that was measured`,
    },
    {
      figure: 'restarting the pod',
      source: 'the fleet file; its defaults (noticed after 30 s, 15 s to 2 min, 14 requests) are a guess',
    },
    {
      figure: 'a plain poll',
      source:
        "the fleet file; by default Fluid's RECOVER_FUSE_PERIOD of 5 s, and for each mount a PersistentVolume and a Dataset read and an event written; mounting takes as long as the agent's",
    },
    {
      figure: 'standby',
      source: `${outage(standby.outage, 'standby', `a spike of 30 crashes under 10 pods (${inWords(spikeStandby)})`)}; 0.08 ms for each further pod. Both daemons fail independently`,
    },
    {
      figure: 'takeover',
      source: `${outage(takeover.outage, 'takeover', `the goal of a stall of 10 ms once a daemon is there (${inWords(goalTakeover)}), not a measurement`)}; the keeper's own default deadline of 20 s, and a guess of its memory`,
    },
  ];
}
