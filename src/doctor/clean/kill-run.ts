import { setTimeout as sleep } from 'node:timers/promises';
import type { RunId } from '../../run-id.ts';
import { killOrder, listRunProcesses, type RunProcess, readRunProcess } from './processes.ts';

export interface KillOutcome {
  /** One line for each process that was killed. */
  readonly removed: readonly string[];
  /** One line for each process that is still there. */
  readonly leftovers: readonly string[];
}

const pollMs = 10;
const deadlineMs = 10_000;

/** Kills all processes of a run with SIGKILL, the supervisor first, and waits until they are gone. Never this process itself. */
export async function killRun(runId: RunId, own: number): Promise<KillOutcome> {
  const killed = new Map<string, RunProcess>();
  const refused = new Map<string, string>();
  const deadline = performance.now() + deadlineMs;
  let left = runProcesses(runId, own);
  while (left.length > 0 && performance.now() < deadline) {
    for (const process of killOrder(left)) {
      const why = kill(process);
      if (why === undefined) killed.set(identity(process), process);
      else refused.set(identity(process), why);
    }
    if (left.every((process) => refused.has(identity(process)))) break;
    // Those killed need a moment, and what they started meanwhile shows in the next look.
    await sleep(pollMs);
    left = runProcesses(runId, own);
  }
  const remaining = new Set(left.map(identity));
  return {
    removed: [...killed].filter(([key]) => !remaining.has(key)).map(([, process]) => describe(process)),
    leftovers: left.map((process) => `${describe(process)}: ${refused.get(identity(process)) ?? 'does not die'}`),
  };
}

function runProcesses(runId: RunId, own: number): readonly RunProcess[] {
  return listRunProcesses(own).filter((process) => process.runId === runId);
}

/** The errno's name where it could not be signalled. Looks again first: the PID may be another's by now. */
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
