import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import { CannotRun } from '../../clusters/cluster.ts';
import type { SimulatedFailure, SimulationOrder, SimulationReport } from './protocol.ts';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));

export interface SimulationOptions extends Omit<SimulationOrder, 'stride'> {
  /** Number of processes. */
  readonly jobs: number;
  /** Called now and then with what has run so far. */
  readonly onProgress: (progress: SimulationProgress) => void;
  readonly onFailure: (failure: SimulatedFailure) => void;
  readonly signal: AbortSignal;
}

export interface SimulationProgress {
  readonly histories: number;
  readonly steps: number;
  readonly milliseconds: number;
}

export interface SimulationResult extends SimulationProgress {
  readonly failures: readonly SimulatedFailure[];
}

/** Runs histories in processes of their own. Resolves with what has run when all have ended, also after an abort. @throws CannotRun */
export async function runSimulation({
  jobs,
  onProgress,
  onFailure,
  signal,
  ...order
}: SimulationOptions): Promise<SimulationResult> {
  const startedAt = performance.now();
  const failures: SimulatedFailure[] = [];
  let [histories, steps] = [0, 0];
  let missing: { readonly what: string; readonly remedy: string } | undefined;
  const soFar = () => ({ histories, steps, milliseconds: Math.round(performance.now() - startedAt) });
  const stopped = new AbortController();
  const stop = AbortSignal.any([signal, stopped.signal]);

  const take = (report: SimulationReport): void => {
    if (report.kind === 'cannot-run') missing = report;
    if (report.kind === 'progress') {
      histories += report.histories;
      steps += report.steps;
      onProgress(soFar());
    }
    if (report.kind !== 'failed') return;
    failures.push(report.failure);
    onFailure(report.failure);
    if (failures.length >= order.mostFailures) stopped.abort();
  };
  await Promise.all(
    Array.from({ length: Math.min(jobs, order.seeds) }, async (_, index) => {
      const part: SimulationOrder = { ...order, first: order.first + index, seeds: order.seeds - index, stride: jobs };
      const child = execaNode(program, [JSON.stringify(part)], {
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
        buffer: { stdout: false },
        reject: false,
        cancelSignal: stop,
        // A simulation that is busy in a system call has nothing to clean up.
        killSignal: 'SIGKILL',
      });
      for await (const line of createInterface({ input: child.stdout })) take(JSON.parse(line));
      const ended = await child;
      if (ended.failed && !stop.aborted) throw new Error(`a simulation ended: ${ended.stderr || ended.shortMessage}`);
    }),
  );
  if (missing !== undefined) throw new CannotRun([missing]);
  return { ...soFar(), failures };
}
