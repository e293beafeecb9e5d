import type { KernelTier } from '../../../recovery/engine/model.ts';
import { NotModelled } from '../../../recovery/linux/model/propagation.ts';
import { WouldBlock } from '../../../recovery/linux/model/walk.ts';
import type { MountStep } from './history.ts';
import { type Machine, type MachineContext, openStage } from './machine.ts';
import { type HistoryRun, readTables, runStep } from './run-step.ts';
import { normalizedTables } from './tables.ts';

export interface OpenMachine {
  readonly machine: Machine;
  readonly context: MachineContext;
}

/** The first step after which kernel and model differed. */
export interface Divergence {
  readonly step: number;
  readonly kernel: string;
  readonly model: string;
}

export interface Comparison {
  /** The steps that ran on both. */
  readonly steps: number;
  readonly divergence: Divergence | undefined;
}

/**
 * Runs a history on the kernel and on the model, and compares outcomes and mount tables after each step. The model runs first: a step
 * that would wait for a daemon ends the history, except for a read.
 */
export async function compare(
  kernel: OpenMachine,
  model: OpenMachine,
  history: readonly MountStep[],
  tier: KernelTier,
): Promise<Comparison> {
  using real = openRun(kernel, tier);
  using modelled = openRun(model, tier);
  try {
    for (const [index, step] of history.entries()) {
      const expected = runOnModel(modelled.run, step);
      if (expected === undefined) return { steps: index, divergence: undefined };
      if (expected === 'hangs') continue;
      const seen = `${runStep(real.run, step)}\n${normalizedTables(readTables(real.run))}`;
      const wanted = `${expected}\n${normalizedTables(readTables(modelled.run))}`;
      if (seen !== wanted) return { steps: index, divergence: { step: index, kernel: seen, model: wanted } };
    }
    return { steps: history.length, divergence: undefined };
  } finally {
    kernel.machine.reset();
    model.machine.reset();
  }
}

function runOnModel(run: HistoryRun, step: MountStep): string | undefined {
  try {
    return runStep(run, step);
  } catch (error) {
    if (error instanceof WouldBlock || error instanceof NotModelled) return undefined;
    throw error;
  }
}

function openRun({ machine, context }: OpenMachine, tier: KernelTier) {
  const stage = openStage(machine, context, tier);
  const run: HistoryRun = { machine, stage, trees: [] };
  return {
    run,
    [Symbol.dispose]() {
      for (const tree of run.trees) machine.sys.close(tree);
      stage[Symbol.dispose]();
    },
  };
}
