import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentSettings, Cluster, HarnessPrograms, RunningCluster } from '../../clusters/cluster.ts';
import { judgesRequiredClaims } from '../checks/required-claims.ts';
import { isKeptOutOfOutput } from '../checks/secret-kept.ts';
import { findInFiles } from '../observers/find-in-files.ts';
import { digestOf } from '../timeline/digest.ts';
import { groupBy } from '../timeline/group-by.ts';
import { type History, openHistory } from '../timeline/history.ts';
import type { CheckRecord, Fidelity, HistoryEvent, RunRecord, ScenarioRecord } from '../timeline/record.ts';
import { recordSchema } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { deriveVerdict } from '../timeline/verdict.ts';
import type { ConformOptions, RunOptions } from '../verbs.ts';
import { version } from '../version.ts';
import { describeMachine } from './machine.ts';
import { reportToCi } from './report-to-ci.ts';
import type { ClusterSummary } from './runner-protocol.ts';
import { writeRun } from './write-reports.ts';

const observer = (path: string) => fileURLToPath(new URL(`../observers/${path}`, import.meta.url));

/** The programs that a scenario starts on nodes and in containers. */
export const harnessPrograms: HarnessPrograms = {
  probe: observer('probe/main.ts'),
  writer: observer('writer.ts'),
  durableWriter: observer('durable-writer.ts'),
  secrets: observer('secrets.ts'),
  mountAttributes: observer('mount-attributes.ts'),
  heldFile: observer('held-file.ts'),
  sweep: observer('sweep.ts'),
};

/** The cluster of a run. Its modules are loaded on demand, because not every process starts a cluster. */
export async function clusterFor(options: Pick<ConformOptions, 'cluster' | 'kubernetes'>): Promise<Cluster> {
  const { cluster, kubernetes } = options;
  if (kubernetes) return (await import('../../clusters/choose-cluster.ts')).chooseCluster(kubernetes);
  if (cluster !== 'sandbox') throw new Error(`unknown cluster ${cluster}`);
  return (await import('../../clusters/sandbox/sandbox.ts')).sandbox;
}

/** File name of a run's history, and of each runner's part. */
export const historyFile = 'history.ndjson';

export interface SiteOptions extends Pick<RunOptions, 'runId' | 'environment' | 'daemon'> {
  /** An existing empty folder for the history and the logs. */
  readonly folder: string;
  /** Folder for a cluster's diagnostics of a failure; by default `<folder>/diagnostics`. */
  readonly diagnosticsDir?: string;
  /** CLOCK_MONOTONIC nanoseconds that the history counts from. */
  readonly origin: number;
  readonly cluster: Cluster;
  readonly agent: AgentSettings;
  /** Speed of a fake kubelet's clock. */
  readonly clockScale: number;
  /** Names of node conditions. Absent: none. */
  readonly conditions?: readonly string[];
  readonly onProgress: (line: string) => void;
  /** Also receives each event as it happens. */
  readonly onEvent?: (event: HistoryEvent) => void;
}

/** A running cluster and the history that it writes. Disposing of it ends the cluster and closes the history. */
export interface Site extends AsyncDisposable {
  readonly cluster: RunningCluster;
  readonly history: History;
}

/** Starts a cluster that writes `<folder>/history.ndjson`. */
export async function openSite(options: SiteOptions): Promise<Site> {
  const { folder, origin } = options;
  await using stack = new AsyncDisposableStack();
  const history = stack.use(await openHistory({ path: join(folder, historyFile), origin }));
  const running = stack.use(await startCluster(options, history));
  const life = stack.move();
  return { cluster: running, history, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

/** Starts a cluster that writes into a history, which several clusters may share. */
export function startCluster(options: Omit<SiteOptions, 'origin'>, history: History): Promise<RunningCluster> {
  const { runId, folder, cluster, agent, clockScale, conditions, daemon, environment, onProgress, onEvent } = options;
  return cluster.start({
    runId,
    resultsDir: folder,
    diagnosticsDir: options.diagnosticsDir ?? join(folder, 'diagnostics'),
    environment: environment.env,
    onEvent(event) {
      history.append(event);
      onEvent?.(event);
    },
    onProgress,
    signal: environment.signal,
    agent,
    ...(daemon && { daemon }),
    workingDirectory: environment.cwd,
    programs: harnessPrograms,
    clockScale,
    ...(conditions && { conditions }),
  });
}

/** A run's results folder and the time of its beginning. */
export interface Results {
  readonly resultsDir: string;
  readonly startedAt: Date;
  /** CLOCK_MONOTONIC nanoseconds. */
  readonly origin: number;
}

/** Makes `<out>/<run id>/`. */
export function makeResults({ out, runId }: Pick<RunOptions, 'out' | 'runId'>): Results {
  const resultsDir = join(out, runId);
  mkdirSync(resultsDir);
  return { resultsDir, startedAt: new Date(), origin: Number(process.hrtime.bigint()) };
}

/** A run with one cluster. */
export interface OpenRun extends Site, Results {}

export async function openRun(options: RunOptions & Omit<SiteOptions, 'folder' | 'origin'>): Promise<OpenRun> {
  const results = makeResults(options);
  const site = await openSite({ ...options, folder: results.resultsDir, origin: results.origin });
  return { ...results, ...site };
}

/** `latest` is a convenience, which is left out if the file system has no links. */
function pointLatest(out: string, runId: string): void {
  try {
    rmSync(join(out, 'latest'), { force: true });
    symlinkSync(runId, join(out, 'latest'));
  } catch {
    // A folder has that name, or the file system has no links.
  }
}

export interface Conclusion extends Results {
  readonly options: RunOptions;
  readonly profile: string;
  readonly command: readonly string[];
  /** The clusters that the run was made on; all of one kind. */
  readonly clusters: readonly ClusterSummary[];
  readonly scenarios: readonly ScenarioRecord[];
  /** All events; the history file is complete. */
  readonly events: readonly HistoryEvent[];
  readonly leftovers: readonly string[];
  /** Failures of the harness itself: one sentence each. */
  readonly errors: readonly string[];
  /** Claims that a scenario must have judged. */
  readonly required?: readonly string[];
}

/** The parts of a conclusion that a run with one cluster provides; completes the history file. */
export async function siteFacts({ cluster, history, resultsDir, startedAt, origin }: OpenRun) {
  await history.flush();
  const { name, fidelity, store } = cluster;
  const clusters = [{ name, fidelity, secret: store.accessKeySecret }];
  return { resultsDir, startedAt, origin, clusters, events: history.events };
}

/**
 * Writes the record and all reports, which contain nothing but what the record and the searched files do, and points `<out>/latest` at the
 * run if it has run anything.
 */
export async function conclude(conclusion: Conclusion): Promise<RunRecord> {
  const { options, profile, command, leftovers, errors, events, resultsDir, startedAt } = conclusion;
  const [place] = conclusion.clusters;
  const byScenario = groupBy(events, ({ scenario }) => scenario);
  const scenarios = conclusion.scenarios.map((scenario) => ({
    ...scenario,
    recoveries: new Timeline(byScenario.get(scenario.id) ?? []).recoveries,
  }));
  const draft = {
    schema: recordSchema,
    runId: options.runId,
    rekindle: version,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    command,
    seed: options.seed,
    profile,
    cluster: place?.name ?? 'none',
    fidelity: combineFidelity(conclusion.clusters),
    machine: describeMachine(),
    interrupted: options.environment.signal.aborted,
    scenarios,
    errors,
    leftovers,
  } as const;
  const { required = [] } = conclusion;
  const judged = scenarios.map(({ name, claims, status, reason }) => ({
    name,
    claims,
    status,
    ...(reason !== undefined && { reason }),
  }));
  const checks = [
    searchForSecrets(conclusion, JSON.stringify(draft)),
    ...(required.length > 0 ? [judgesRequiredClaims({ required, scenarios: judged })] : []),
  ];
  const record: RunRecord = { ...draft, checks, verdict: deriveVerdict({ ...draft, checks }) };
  await writeRun(resultsDir, { record, digest: digestOf(events), cwd: options.environment.cwd });
  if (scenarios.length > 0) pointLatest(options.out, options.runId);
  reportToCi(record, options.environment);
  return record;
}

/** Of clusters of one kind, whose nodes may be under different conditions. */
function combineFidelity(clusters: Conclusion['clusters']): Fidelity {
  const [first] = clusters;
  if (!first) return { place: 'no cluster was up', parts: [], clockScale: 1 };
  const parts = new Map(clusters.flatMap(({ fidelity }) => fidelity.parts.map((part) => [part.part, part])));
  return { ...first.fidelity, parts: [...parts.values()] };
}

/** Searches all files of the run, and the record that is going to be written, for the secret keys of its object stores. */
function searchForSecrets({ clusters, resultsDir }: Conclusion, record: string): CheckRecord {
  const searches = clusters.map(({ secret }) => findInFiles(resultsDir, secret, { 'record.json': record }));
  const found = [...new Set(searches.flatMap((search) => search.found))];
  return isKeptOutOfOutput({ files: searches[0]?.files ?? 0, found });
}
