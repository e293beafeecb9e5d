import { type ChildProcess, spawn } from 'node:child_process';

export interface ChildOptions {
  readonly runId: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How long it may take to end with its standard input, before it and its children are killed. */
  readonly graceMs?: number;
}

/** A store's process. It ends when its standard input does, so also when the process that started it is killed. Disposed of, it and its children are gone. */
export interface StoreProcess extends AsyncDisposable {
  readonly child: ChildProcess & {
    readonly stdin: NodeJS.WritableStream;
    readonly stdout: import('node:stream').Readable;
  };
  /** Resolves with a sentence once the process is gone. */
  readonly ended: Promise<string>;
}

const defaultGraceMs = 3_000;

/** Starts a process with the run's id in its environment, where `rekindle clean` looks for it. */
export function startChild({ runId, command, environment, graceMs = defaultGraceMs }: ChildOptions): StoreProcess {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    env: { ...environment, REKINDLE_RUN_ID: runId },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Leads a group, so that none of its children outlives it and writes into a folder that is being removed.
    detached: true,
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complaint = (complaint + chunk).slice(-500);
  });
  child.stdin.on('error', () => undefined);
  let isOver = false;
  // Closed once nobody has its output any more, its children neither.
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(`${program}: ${error.message}`));
    child.on('close', (code, signal) => resolve(`it ended with ${signal ?? code}: ${complaint.trim()}`));
  }).finally(() => {
    isOver = true;
  });
  return {
    child,
    ended,
    [Symbol.asyncDispose]: async () => {
      const { pid } = child;
      if (pid === undefined || isOver) return;
      child.stdin.end();
      const killer = setTimeout(() => killGroup(pid), graceMs);
      await ended;
      clearTimeout(killer);
    },
  };
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody of it is left.
  }
}
