import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CannotRun } from '../../clusters/cluster.ts';
import type { ScenarioRecord } from '../timeline/record.ts';
import type { ClusterFacts, Order, Report, RunnerOptions } from './runner-protocol.ts';

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
  const count = Math.min(all.jobs, queue.length);
  const folders = Array.from({ length: count }, (_, index) => join(all.folder, `runner-${index + 1}`));
  await Promise.all(folders.map((folder) => runOne(folder)));
  return { ...found, folders };

  function runOne(folder: string): Promise<void> {
    mkdirSync(folder);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const child: ChildProcess = fork(program, [], {
      env: { ...all.options.env, REKINDLE_RUN_ID: all.options.runId },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const send = (order: Order): void => {
      if (child.connected) child.send(order);
    };
    const next = (): void => {
      const scenario = all.signal.aborted ? undefined : queue.shift();
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
          for (const scenario of report.scenarios) all.onFinished(scenario);
          return next();
        case 'ended':
          found.leftovers.push(...report.leftovers);
          return resolve();
        case 'failed':
          return reject(report.missing ? new CannotRun(report.missing) : new Error(report.message));
      }
    });
    child.on('exit', (status, signal) => {
      all.signal.removeEventListener('abort', stop);
      // After `ended` or `failed` this says nothing new.
      if (all.signal.aborted) resolve();
      else reject(new Error(`a runner ended by itself: ${signal ?? `status ${status}`}`));
    });
    send({ order: 'start', options: { ...all.options, folder } });
    return promise;
  }
}
