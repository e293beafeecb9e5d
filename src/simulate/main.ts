/**
 * Simulates histories and reports them: a process of its own, because it visits mount namespaces and keeps a processor busy. Its argument
 * is a `SimulationOrder` as JSON; it writes `SimulationReport`s, one a line.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { startComparing } from './against-kernel/against-kernel.ts';
import { MachineFailed } from './against-kernel/machine.ts';
import { startSimulating } from './node/simulate-node.ts';
import type { SimulationOrder, SimulationReport } from './protocol.ts';

const order: SimulationOrder = JSON.parse(process.argv[2] ?? '{}');
const report = (each: SimulationReport) => void process.stdout.write(`${JSON.stringify(each)}\n`);

/** Milliseconds between two reports of progress. */
const reportPeriod = 500;

const asRoot = 'run it as root, in a container with CAP_SYS_ADMIN';
const remedies: Readonly<Record<string, string>> = {
  EPERM: asRoot,
  EACCES: asRoot,
  ENOSYS: 'this kernel lacks the call: omit --kernel-tier, or boot Linux 5.10 or later',
};

async function simulate(): Promise<void> {
  using simulation = order.against === 'kernel' ? startComparing(order) : startSimulating(order);
  let [histories, steps, failures, reportedAt] = [0, 0, 0, performance.now()];
  for (let seed = order.first; seed < order.first + order.seeds; seed += order.stride) {
    if (order.endsAt !== undefined && Date.now() >= order.endsAt) break;
    const { steps: ran, failure } = await simulation.run(seed);
    histories += 1;
    steps += ran;
    if (failure !== undefined) {
      report({ kind: 'failed', failure });
      failures += 1;
      if (failures >= order.mostFailures) break;
    }
    if (performance.now() - reportedAt < reportPeriod) continue;
    report({ kind: 'progress', histories, steps });
    [histories, steps, reportedAt] = [0, 0, performance.now()];
    await nextTurn();
  }
  report({ kind: 'progress', histories, steps });
}

try {
  await simulate();
  report({ kind: 'done' });
} catch (error) {
  if (!(error instanceof MachineFailed)) throw error;
  const remedy = remedies[error.errno] ?? 'rekindle doctor checks what this machine can run';
  report({ kind: 'cannot-run', what: error.message, remedy });
}
