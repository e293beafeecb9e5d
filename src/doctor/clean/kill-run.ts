import { setTimeout as sleep } from 'node:timers/promises';
import type { RunId } from '../../run-id.ts';
import { killOrder, listRunProcesses, type RunProcess, readRunProcess } from './processes.ts';

export interface KillOutcome {
  /** A line for each process that was killed. */
  readonly removed: readonly string[];
  /** A line for each process that still exists. */
  readonly leftovers: readonly string[];
}

const pollMs = 10;
const deadlineMs = 10_000;

/** Kills all processes of a run with SIGKILL, the supervisor first, and waits until they are gone. Never kills process `own`. */
export async function killRun(runId: RunId, own: number): Promise<KillOutcome> {
  const killed = new Map<string, RunProcess>();
  const refused = new Map<string, string>();
  const deadline = performance.now() + deadlineMs;
  let remaining = runProcesses(runId, own);
  while (remaining.length > 0 && performance.now() < deadline) {
    for (const process of killOrder(remaining)) {
      const reason = kill(process);
      if (reason === undefined) killed.set(identity(process), process);
      else refused.set(identity(process), reason);
    }
    if (remaining.every((process) => refused.has(identity(process)))) break;
    // Killed processes need a moment to exit, and may have started others before.
    await sleep(pollMs);
    remaining = runProcesses(runId, own);
  }
  const remainingKeys = new Set(remaining.map(identity));
  return {
    removed: [...killed].filter(([key]) => !remainingKeys.has(key)).map(([, process]) => describe(process)),
    leftovers: remaining.map((process) => `${describe(process)}: ${refused.get(identity(process)) ?? 'does not die'}`),
  };
}

function runProcesses(runId: RunId, own: number): readonly RunProcess[] {
  return listRunProcesses(own).filter((process) => process.runId === runId);
}

/** Returns the name of the errno if it fails. Reads the process again first, because its PID may have been reused. */
function kill(target: RunProcess): string | undefined {
  const now = readRunProcess(target.pid);
  if (now === undefined || identity(now) !== identity(target)) return undefined;
  try {
    process.kill(target.pid, 'SIGKILL');
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ESRCH' ? undefined : (code ?? String(error));
  }
}

function identity(process: RunProcess): string {
  return `${process.pid}@${process.startTicks}`;
}

function describe(process: RunProcess): string {
  return `process ${process.pid} (${process.command})`;
}
