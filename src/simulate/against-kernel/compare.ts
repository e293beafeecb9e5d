import type { KernelTier, Mount } from '../../../recovery/engine/model.ts';
import { NotModelled } from '../../../recovery/linux/model/propagation.ts';
import { WouldBlock } from '../../../recovery/linux/model/walk.ts';
import type { MountStep } from './history.ts';
import { type Machine, type MachineContext, openStage } from './machine.ts';
import { type HistoryRun, readTables, runStep } from './run-step.ts';

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

/**
 * The mount tables of all namespaces of a history in a form that does not depend on numbers that a kernel happens to give: mounts by
 * their position in the tree, file systems by their source, peer groups in the order of their appearance.
 */
export function normalizedTables(tables: readonly (readonly Mount[])[]): string {
  const groups = new Map<number, number>();
  const group = (id: number) => {
    const known = groups.get(id) ?? groups.size + 1;
    groups.set(id, known);
    return known;
  };
  const lines: string[] = [];
  for (const [index, table] of tables.entries()) {
    lines.push(`namespace ${index}`);
    const ids = new Set(table.map(({ id }) => id));
    const visit = (mount: Mount, depth: number): void => {
      const { mountPoint, root, options, shared, master, fstype, mountSource } = mount;
      const propagation = [
        ...(shared === undefined ? [] : [`shared:${group(shared)}`]),
        ...(master === undefined ? [] : [`master:${group(master)}`]),
      ];
      lines.push(
        `${'  '.repeat(depth + 1)}${mountPoint} ${mountSource} (${fstype}) ${root} ${[options.join(), ...propagation].join(' ')}`,
      );
      for (const child of table
        .filter(({ parentId, id }) => parentId === mount.id && id !== mount.id)
        .sort((a, b) => (a.mountPoint < b.mountPoint ? -1 : 1)))
        visit(child, depth + 1);
    };
    for (const mount of table) if (!ids.has(mount.parentId) || mount.parentId === mount.id) visit(mount, 0);
  }
  return lines.join('\n');
}
