import { readdirSync, readFileSync } from 'node:fs';
import { pollOrLast } from '../../../clusters/poll.ts';
import { parseRunId, type RunId, runIdVariable, runRoleVariable } from '../../run-id.ts';

/** A process that belongs to a run, as /proc shows it. */
export interface RunProcess {
  readonly pid: number;
  readonly runId: RunId;
  readonly harness: boolean;
  /** Its PIDs from our PID namespace inwards. The last is the one in its own namespace. */
  readonly pids: readonly number[];
  /** Start in clock ticks since boot, which together with the PID identifies the process. */
  readonly startTicks: number;
  readonly command: string;
}

/** The files of /proc/PID that identify a process's run (`man 5 proc`). */
export interface RunProcessFiles {
  /** `NAME=value`, each ended by a NUL: the environment that the program was started with. */
  readonly environ: string;
  readonly status: string;
  readonly stat: string;
  /** Arguments, each ended by a NUL. */
  readonly cmdline: string;
}

/** Returns the process if its environment names a run and it is alive. A zombie has already released its resources. */
export function parseRunProcess(pid: number, files: RunProcessFiles): RunProcess | undefined {
  const environ = new Map(
    files.environ.split('\0').map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)] as const;
    }),
  );
  const runId = parseRunId(environ.get(runIdVariable) ?? '');
  // The command's name is in parentheses and may contain parentheses and spaces: count fields from the last one.
  const end = files.stat.lastIndexOf(')');
  const fields = files.stat.slice(end + 2).split(' ');
  if (runId === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const pids = /^NSpid:\s*(.+)$/m.exec(files.status)?.[1]?.split(/\s+/).map(Number) ?? [pid];
  return {
    pid,
    runId,
    harness: environ.get(runRoleVariable) === 'harness',
    pids,
    startTicks: Number(fields[19]),
    command: describeCommand(files.cmdline) || files.stat.slice(files.stat.indexOf('(') + 1, end),
  };
}

/** `node supervisor.ts`: program and first argument without their folders. The kernel's name of a Node process is `MainThread`. */
function describeCommand(cmdline: string): string {
  return cmdline
    .split('\0', 2)
    .map((argument) => argument.slice(argument.lastIndexOf('/') + 1))
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 60);
}

/** Reads one process. Returns undefined if it has exited, belongs to no run or is not readable by this user. */
export function readRunProcess(pid: number): RunProcess | undefined {
  try {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1');
    const environ = read('environ');
    if (!environ.includes(`${runIdVariable}=`)) return undefined;
    return parseRunProcess(pid, { environ, status: read('status'), stat: read('stat'), cmdline: read('cmdline') });
  } catch {
    return undefined;
  }
}

/** All processes of all runs, this process excluded. */
export function listRunProcesses(own: number): readonly RunProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== own)
    .flatMap((name) => readRunProcess(Number(name)) ?? []);
}

/** True for process 1 of a PID namespace below ours: when it dies, the kernel kills all others of that namespace. */
export function isSupervisor(process: RunProcess): boolean {
  return process.pids.length > 1 && process.pids.at(-1) === 1;
}

/** Sorts processes for killing: supervisors first, outer namespaces before inner ones. */
export function killOrder(processes: readonly RunProcess[]): readonly RunProcess[] {
  const rank = (process: RunProcess) => (isSupervisor(process) ? process.pids.length : Number.MAX_SAFE_INTEGER);
  return processes.toSorted((a, b) => rank(a) - rank(b));
}

export interface KillOutcome {
  /** A line for each process that was killed. */
  readonly removed: readonly string[];
  /** A line for each process that still exists. */
  readonly leftovers: readonly string[];
}

const dyingMs = 10_000;

/** Kills all processes of a run with SIGKILL, the supervisor first, and waits until they are gone. Never kills process `own`. */
export async function killRun(runId: RunId, own: number): Promise<KillOutcome> {
  const killed = new Map<string, RunProcess>();
  const refused = new Map<string, string>();
  // Killed processes need a moment to exit, and may have started others before.
  const remaining = await pollOrLast({
    read() {
      const processes = listRunProcesses(own).filter((process) => process.runId === runId);
      for (const process of killOrder(processes)) {
        const reason = kill(process);
        if (reason === undefined) killed.set(identity(process), process);
        else refused.set(identity(process), reason);
      }
      return processes;
    },
    until: (processes) => processes.every((process) => refused.has(identity(process))),
    timeoutMs: dyingMs,
    intervalMs: 10,
  });
  const remainingKeys = new Set(remaining.map(identity));
  return {
    removed: [...killed].filter(([key]) => !remainingKeys.has(key)).map(([, process]) => describe(process)),
    leftovers: remaining.map((process) => `${describe(process)}: ${refused.get(identity(process)) ?? 'does not die'}`),
  };
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
