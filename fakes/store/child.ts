import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ChildOptions {
  readonly runId: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A store's process. It ends when its standard input does, so also when the process that started it is killed. */
export interface StoreProcess extends AsyncDisposable {
  readonly child: ChildProcess & {
    readonly stdin: NodeJS.WritableStream;
    readonly stdout: import('node:stream').Readable;
  };
  /** Resolves with a sentence once the process is gone. */
  readonly ended: Promise<string>;
}

const graceMs = 3_000;

/** Starts a process with the run's id in its environment, where `rekindle clean` looks for it. */
export function startChild({ runId, command: [program, ...args], environment }: ChildOptions): StoreProcess {
  const child = spawn(program, args, {
    env: { ...environment, REKINDLE_RUN_ID: runId },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complaint = (complaint + chunk).slice(-500);
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(`${program}: ${error.message}`));
    child.on('close', (code, signal) => resolve(`it ended with ${signal ?? code}: ${complaint.trim()}`));
  });
  return {
    child,
    ended,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      const exited = once(child, 'exit');
      child.stdin.end();
      const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(killer);
    },
  };
}
