import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentOptions, Cluster, RunningCluster } from '../../clusters/cluster.ts';
import { tellCi } from '../cli/tell-ci.ts';
import { writeReports } from '../cli/write-reports.ts';
import { groupBy } from '../timeline/group-by.ts';
import { type History, openHistory } from '../timeline/history.ts';
import type { CheckRecord, HistoryEvent, RunRecord, ScenarioRecord } from '../timeline/record.ts';
import { recordSchema } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { deriveVerdict } from '../timeline/verdict.ts';
import type { ConformOptions, RunOptions } from '../verbs.ts';
import { version } from '../version.ts';
import { describeMachine } from './machine.ts';
import { harnessPrograms } from './programs.ts';
import type { ClusterFacts } from './runner-protocol.ts';
import { secretIsInNoOutput } from './secrecy.ts';

/** The cluster that a run is made on. What it needs is loaded only where it is asked for: not by a process that starts none itself. */
export async function clusterFor(options: Pick<ConformOptions, 'cluster' | 'kubernetes'>): Promise<Cluster> {
  const { cluster, kubernetes } = options;
  if (kubernetes) return (await import('../../clusters/choose-cluster.ts')).chooseCluster(kubernetes);
  if (cluster !== 'sandbox') throw new Error(`unknown cluster ${cluster}`);
  return (await import('../../clusters/sandbox/sandbox.ts')).sandbox;
}

/** A run's history, and each runner's part of it. */
export const historyFile = 'history.ndjson';

export interface SiteOptions extends Pick<RunOptions, 'runId' | 'environment' | 'daemon'> {
  /** Exists and is empty: the history and the logs go there. */
  readonly folder: string;
  /** For what a cluster shows when something fails; `<folder>/diagnostics` where not given. */
  readonly diagnosticsDir?: string;
  /** CLOCK_MONOTONIC nanoseconds that the history counts from. */
  readonly origin: number;
  readonly cluster: Cluster;
  readonly agent: AgentOptions;
  /** Seconds of a fake kubelet's clock in one real second. */
  readonly clockScale: number;
  readonly onProgress: (line: string) => void;
  /** Also takes each event, as it happens. */
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

/** Starts a cluster that writes into a history, which may be that of another one, too. */
export function startCluster(options: Omit<SiteOptions, 'origin'>, history: History): Promise<RunningCluster> {
  const { runId, folder, cluster, agent, clockScale, daemon, environment, onProgress, onEvent } = options;
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
  });
}

/** Where a run's results go, and when it began. */
export interface Results {
  readonly resultsDir: string;
  readonly startedAt: Date;
  /** CLOCK_MONOTONIC nanoseconds. */
  readonly origin: number;
}

/** Makes `<out>/<run id>/` and points `<out>/latest` at it. */
export function makeResults({ out, runId }: Pick<RunOptions, 'out' | 'runId'>): Results {
  const resultsDir = join(out, runId);
  mkdirSync(resultsDir);
  pointLatest(out, runId);
  return { resultsDir, startedAt: new Date(), origin: Number(process.hrtime.bigint()) };
}

/** A run with one cluster. */
export interface OpenRun extends Site, Results {}

export async function openRun(options: RunOptions & Omit<SiteOptions, 'folder' | 'origin'>): Promise<OpenRun> {
  const results = makeResults(options);
  const site = await openSite({ ...options, folder: results.resultsDir, origin: results.origin });
  return { ...results, ...site };
}

/** `latest` is a convenience: where links cannot be made there is none. */
function pointLatest(out: string, runId: string): void {
  try {
    rmSync(join(out, 'latest'), { force: true });
    symlinkSync(runId, join(out, 'latest'));
  } catch {
    // A folder of that name, or a file system without links.
  }
}

export interface Conclusion extends Results {
  readonly options: RunOptions;
  readonly profile: string;
  readonly command: readonly string[];
  /** The clusters that the run was made on; all of one kind. */
  readonly clusters: readonly ClusterFacts[];
  readonly scenarios: readonly ScenarioRecord[];
  /** All that happened, in order of time; on disk by now. */
  readonly events: readonly HistoryEvent[];
  readonly leftovers: readonly string[];
  /** Failures of the harness itself: one sentence each. */
  readonly errors: readonly string[];
}

/** What a conclusion needs of a run with one cluster, whose history is complete. */
export async function siteFacts({ cluster, history, resultsDir, startedAt, origin }: OpenRun) {
  await history.flush();
  const { name, fidelity, store } = cluster;
  const clusters = [{ name, fidelity, secret: store.accessKeySecret }];
  return { resultsDir, startedAt, origin, clusters, events: history.events };
}

/**
 * Writes the record and all reports. Whether any of it holds the object store's secret key is looked at before, for the
 * record, and after, because the reports are output too.
 */
export async function conclude(conclusion: Conclusion): Promise<RunRecord> {
  const { clusters: places, resultsDir } = conclusion;
  const look = () =>
    secretIsInNoOutput(
      resultsDir,
      places.map(({ secret }) => secret),
    );
  const before = look();
  const record = await write(conclusion, before);
  const after = look();
  const final = after.verdict === before.verdict ? record : await write(conclusion, after);
  tellCi(final, conclusion.options.environment);
  return final;
}

async function write(conclusion: Conclusion, secrecy: CheckRecord): Promise<RunRecord> {
  const { options, profile, command, scenarios, leftovers, errors, events, resultsDir, startedAt } = conclusion;
  const [place] = conclusion.clusters;
  const byScenario = groupBy(events, ({ scenario }) => scenario);
  const record: RunRecord = {
    schema: recordSchema,
    runId: options.runId,
    rekindle: version,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    command,
    seed: options.seed,
    profile,
    cluster: place?.name ?? 'none',
    fidelity: place?.fidelity ?? { place: 'no cluster was up', parts: [], clockScale: 1 },
    machine: describeMachine(),
    verdict: deriveVerdict({ scenarios, checks: [secrecy], errors }),
    interrupted: options.environment.signal.aborted,
    scenarios: scenarios.map((scenario) => ({
      ...scenario,
      recoveries: new Timeline(byScenario.get(scenario.id) ?? []).recoveries,
    })),
    checks: [secrecy],
    leftovers,
  };
  writeFileSync(join(resultsDir, 'record.json'), `${JSON.stringify(record, null, 1)}\n`);
  await writeReports(resultsDir, { record, history: events }, options.environment.cwd);
  return record;
}
