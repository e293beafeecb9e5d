import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type ProbeAnswer, type ProbeRequest, ready } from './protocol.ts';

/** One prober process; it serves one request at a time. */
export interface Worker {
  /** Settles when the process has ended, which a killed one only does once the daemon lets go of it. */
  readonly ended: Promise<void>;
  /** Whether it has said that it is up. */
  isReady(): boolean;
  /** Undefined where the process ended instead of answering. */
  ask(request: ProbeRequest): Promise<ProbeAnswer | undefined>;
  kill(): void;
  /** Kills it, and does not wait for it: it may hang in a daemon's hands for ever. */
  abandon(): void;
}

export function startWorker(command: readonly string[]): Worker {
  const [program = process.execPath, ...args] = command;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
  let isReady = false;
  let waiting: ((answer: ProbeAnswer | undefined) => void) | undefined;
  const settle = (answer: ProbeAnswer | undefined) => {
    const resolve = waiting;
    waiting = undefined;
    resolve?.(answer);
  };

  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const over = () => {
    isReady = false;
    settle(undefined);
    end();
  };
  child.once('exit', over);
  child.once('error', over);
  // A prober that is gone cannot be written to; its end says so.
  child.stdin.on('error', () => {});
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === ready) isReady = true;
    else settle(JSON.parse(line));
  });

  const kill = () => {
    child.kill('SIGKILL');
    child.stdin.destroy();
    child.stdout.destroy();
  };

  return {
    ended,
    isReady: () => isReady,
    ask(request) {
      const answer = Promise.withResolvers<ProbeAnswer | undefined>();
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) answer.resolve(undefined);
      else {
        waiting = answer.resolve;
        child.stdin.write(`${JSON.stringify(request)}\n`);
      }
      return answer.promise;
    },
    kill,
    abandon() {
      kill();
      child.unref();
    },
  };
}
