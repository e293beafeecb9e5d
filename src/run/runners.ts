import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CannotRun } from '../../clusters/cluster.ts';
import type { ScenarioRecord } from '../timeline/record.ts';
import type { ClusterFacts, Missing, Order, Report, RunnerOptions } from './runner-protocol.ts';

const program = fileURLToPath(new URL('./runner-main.ts', import.meta.url));

export interface RunAllOptions {
  /** The options of each runner, without its folder. */
  readonly options: Omit<RunnerOptions, 'folder'>;
  /** Parent of the runners' folders. */
  readonly folder: string;
  /** `FILE:LINE`, in the order in which they start. */
  readonly scenarios: readonly string[];
  /** Number of runners in parallel. */
  readonly jobs: number;
  readonly onProgress: (line: string) => void;
  readonly onFinished: (scenario: ScenarioRecord) => void;
  readonly signal: AbortSignal;
  /** The program of a runner, which tests replace. */
  readonly program?: string;
}

export interface RanAll {
  readonly clusters: readonly ClusterFacts[];
  readonly folders: readonly string[];
  readonly errors: readonly string[];
  readonly leftovers: readonly string[];
}

/**
 * Runs scenarios in parallel: each runner is a process with its own cluster and takes the next scenario when it is free.
 * Resolves when all runners have disposed of their clusters, also after an abort. @throws CannotRun
 */
export async function runAll(all: RunAllOptions): Promise<RanAll> {
  const queue = [...all.scenarios];
  const found = { clusters: [] as ClusterFacts[], errors: [] as string[], leftovers: [] as string[] };
  const missing: Missing[] = [];
  let finished = 0;
  const count = Math.min(all.jobs, queue.length);
  const folders = Array.from({ length: count }, (_, index) => join(all.folder, `runner-${index + 1}`));
  await Promise.all(folders.map((folder) => runOne(folder)));
  // A machine that lacks something from the start cannot run it; a need that arises later, such as disk space, loses no result.
  if (missing.length > 0 && finished === 0) throw new CannotRun(missing);
  found.errors.push(...missing.map(({ what, remedy }) => `${what}: ${remedy}`));
  if (queue.length > 0 && !all.signal.aborted)
    found.errors.push(
      `${queue.length} ${queue.length === 1 ? 'scenario was' : 'scenarios were'} not run, because no runner was left`,
    );
  return { ...found, folders };

  function runOne(folder: string): Promise<void> {
    mkdirSync(folder);
    const { promise, resolve } = Promise.withResolvers<void>();
    const child: ChildProcess = fork(all.program ?? program, [], {
      env: { ...all.options.env, REKINDLE_RUN_ID: all.options.runId },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const send = (order: Order): void => {
      if (child.connected) child.send(order);
    };
    let scenario: string | undefined;
    let settled = false;
    const next = (): void => {
      scenario = all.signal.aborted ? undefined : queue.shift();
      send(scenario === undefined ? { order: 'end' } : { order: 'run', scenario });
    };
    const stop = (): void => send({ order: 'end' });
    all.signal.addEventListener('abort', stop);
    child.on('message', (report: Report) => {
      switch (report.report) {
        case 'progress':
          return all.onProgress(report.line);
        case 'ready':
          found.clusters.push(report.cluster);
          return next();
        case 'finished':
          found.errors.push(...report.errors);
          finished += report.scenarios.length;
          for (const scenario of report.scenarios) all.onFinished(scenario);
          return next();
        case 'ended':
          settled = true;
          found.leftovers.push(...report.leftovers);
          return resolve();
        case 'failed':
          settled = true;
          if (report.missing) missing.push(...report.missing);
          else found.errors.push(report.message);
          return resolve();
      }
    });
    child.on('exit', (status, signal) => {
      all.signal.removeEventListener('abort', stop);
      // After `ended` or `failed` the promise is settled. Otherwise what was finished is kept, and other runners continue.
      if (!settled && !all.signal.aborted)
        found.errors.push(`a runner ended in ${scenario ?? 'its start or end'}: ${signal ?? `status ${status}`}`);
      resolve();
    });
    send({ order: 'start', options: { ...all.options, folder } });
    return promise;
  }
}
