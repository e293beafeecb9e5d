import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentOptions, Cluster, RunningCluster } from '../../clusters/cluster.ts';
import { sandbox } from '../../clusters/sandbox/sandbox.ts';
import { recoveries } from '../../reports/phases.ts';
import type { CheckRecord, HistoryEvent, Run, RunRecord, ScenarioRecord, Verdict } from '../../reports/record.ts';
import { recordSchema } from '../../reports/record.ts';
import { writeReports } from '../cli/write-reports.ts';
import { type History, openHistory } from '../history/history.ts';
import type { RunOptions } from '../verbs.ts';
import { describeMachine } from './machine.ts';
import { secretIsInNoOutput } from './secrecy.ts';

/** The clusters that a run can be made on, by name. */
export const clusters: ReadonlyMap<string, Cluster> = new Map([[sandbox.name, sandbox]]);

const probeProgram = fileURLToPath(new URL('../probe/main.ts', import.meta.url));

export interface OpenRunOptions extends RunOptions {
  readonly cluster: Cluster;
  readonly agent: AgentOptions;
  /** Seconds of a fake kubelet's clock in one real second. */
  readonly clockScale: number;
  readonly onProgress: (line: string) => void;
  /** Also takes each event, as it happens. */
  readonly onEvent?: (event: HistoryEvent) => void;
}

/** A run whose cluster is up. Disposing of it ends the cluster and closes the history. */
export interface OpenRun extends AsyncDisposable {
  readonly resultsDir: string;
  readonly cluster: RunningCluster;
  readonly history: History;
  readonly startedAt: Date;
}

/** Makes `<out>/<run id>/` with its history, points `<out>/latest` at it, and starts the cluster. */
export async function openRun(options: OpenRunOptions): Promise<OpenRun> {
  const { runId, out, cluster, agent, clockScale, environment, onProgress, onEvent } = options;
  const startedAt = new Date();
  const origin = Number(process.hrtime.bigint());
  const resultsDir = join(out, runId);
  mkdirSync(resultsDir);
  pointLatest(out, runId);
  await using stack = new AsyncDisposableStack();
  const history = stack.use(await openHistory({ path: join(resultsDir, 'history.ndjson'), origin }));
  const take = (event: HistoryEvent): void => {
    history.append(event);
    onEvent?.(event);
  };
  const running = stack.use(
    await cluster.start({
      runId,
      resultsDir,
      environment: environment.env,
      onEvent: take,
      onProgress,
      signal: environment.signal,
      agent,
      workingDirectory: environment.cwd,
      probeProgram,
      clockScale,
    }),
  );
  const life = stack.move();
  return { resultsDir, cluster: running, history, startedAt, [Symbol.asyncDispose]: () => life.disposeAsync() };
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

export interface Conclusion {
  readonly run: OpenRun;
  readonly options: RunOptions;
  readonly profile: string;
  readonly command: readonly string[];
  readonly scenarios: readonly ScenarioRecord[];
  readonly leftovers: readonly string[];
  readonly verdict: Verdict;
}

/**
 * Writes the record and all reports; the history is complete by then. Whether any of it holds the object store's secret key
 * is looked at before, for the record, and after, because the reports are output too.
 */
export async function conclude(conclusion: Conclusion): Promise<RunRecord> {
  const { history, cluster, resultsDir } = conclusion.run;
  await history.flush();
  const look = () => secretIsInNoOutput(resultsDir, cluster.store.accessKeySecret);
  const before = look();
  const record = write(conclusion, before);
  const after = look();
  return after.verdict === before.verdict ? record : write(conclusion, after);
}

function write(
  { run, options, profile, command, scenarios, leftovers, verdict }: Conclusion,
  secrecy: CheckRecord,
): RunRecord {
  const { cluster, history, resultsDir, startedAt } = run;
  const record: RunRecord = {
    schema: recordSchema,
    runId: options.runId,
    rekindle: '0.1.0',
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    command,
    seed: options.seed,
    profile,
    cluster: cluster.name,
    fidelity: cluster.fidelity,
    machine: describeMachine(),
    verdict: secrecy.verdict === 'fail' ? 'fail' : verdict,
    interrupted: options.environment.signal.aborted,
    scenarios: scenarios.map((scenario) => ({ ...scenario, recoveries: recoveries(history.events, scenario.id) })),
    checks: [secrecy],
    leftovers,
  };
  const complete: Run = { record, history: history.events };
  writeFileSync(join(resultsDir, 'record.json'), `${JSON.stringify(record, null, 1)}\n`);
  writeReports(resultsDir, complete);
  return record;
}

/** Not one failure and at least one pass; a run that showed nothing shows nothing. */
export function verdictOf(scenarios: readonly ScenarioRecord[], errors: readonly string[]): Verdict {
  if (scenarios.some(({ status }) => status === 'fail')) return 'fail';
  if (errors.length > 0 || scenarios.some(({ status }) => status === 'inconclusive')) return 'inconclusive';
  return scenarios.some(({ status }) => status === 'pass') ? 'pass' : 'inconclusive';
}
