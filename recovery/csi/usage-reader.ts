import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Nanoseconds } from '../engine/model.ts';
import type { ClockPort, Result } from '../engine/ports.ts';
import type { VolumeUsage } from './messages.ts';
import type { UsageReader } from './stats.ts';

/** The usage process's response to a path. */
export type UsageResponse = { readonly usage: readonly VolumeUsage[] } | { readonly errno: string };

export interface UsageProcessOptions {
  /** Program and arguments of the usage process. */
  readonly command: readonly [program: string, ...args: string[]];
  /** Path of the root of the node's mount namespace, `/proc/1/root`; empty if it is the agent's own namespace. */
  readonly nodeRoot: string;
  readonly clock: ClockPort;
  /** How long an idle process is kept. */
  readonly idleTimeout?: Nanoseconds;
}

/** The kubelet requests the stats of all volumes, one after the other, once a minute. */
const defaultIdleTimeout = 10_000_000_000n as Nanoseconds;

/**
 * Reads the usage of filesystems in a child process, one at a time. A child that misses its deadline is killed: it may stay in
 * the kernel until its daemon dies, but nothing waits for it.
 */
export function createUsageReader(options: UsageProcessOptions): UsageReader & AsyncDisposable {
  const { clock, nodeRoot, idleTimeout = defaultIdleTimeout } = options;
  let child: UsageChild | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let idleTimer: Disposable | undefined;

  const end = () => {
    child?.kill();
    child = undefined;
  };

  async function ask(path: string, deadline: Nanoseconds): Promise<Result<readonly VolumeUsage[]>> {
    idleTimer?.[Symbol.dispose]();
    const current = child ?? startChild(options.command);
    child = current;
    const timeout = Promise.withResolvers<UsageResponse>();
    using _ = clock.after((deadline - clock.now()) as Nanoseconds, () => timeout.resolve({ errno: 'ETIMEDOUT' }));
    const answer = await Promise.race([current.ask(nodeRoot + path), timeout.promise]);
    if ('usage' in answer) {
      idleTimer = clock.after(idleTimeout, end);
      return { ok: true, value: answer.usage };
    }
    end();
    return { ok: false, failure: { errno: answer.errno, call: 'statfs', path, step: 'usage' } };
  }

  const read: UsageReader = ({ path, deadline }) => {
    const answer = last.then(() => ask(path, deadline));
    last = answer.catch(() => {});
    return answer;
  };
  return Object.assign(read, {
    async [Symbol.asyncDispose]() {
      idleTimer?.[Symbol.dispose]();
      end();
    },
  });
}

interface UsageChild {
  ask(path: string): Promise<UsageResponse>;
  kill(): void;
}

function startChild([program, ...args]: UsageProcessOptions['command']): UsageChild {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.unref();
  let response = Promise.withResolvers<UsageResponse>();
  let text = '';
  const fail = () => response.resolve({ errno: 'EIO' });
  child.on('error', fail);
  child.on('exit', fail);
  child.stdin.on('error', fail);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const end = text.indexOf('\n');
    if (end === -1) return;
    response.resolve(JSON.parse(text.slice(0, end)));
    text = text.slice(end + 1);
  });
  return {
    ask(path) {
      response = Promise.withResolvers();
      if (child.exitCode !== null || child.signalCode !== null) fail();
      else child.stdin.write(`${JSON.stringify(path)}\n`);
      return response.promise;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
