import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Nanoseconds } from '../../engine/model.ts';
import type { ClockPort, Result } from '../../engine/ports.ts';
import type { VolumeUsage } from '../messages.ts';
import type { UsageReader } from '../stats.ts';
import type { UsageAnswer } from './protocol.ts';

export interface UsageProcessOptions {
  /** Program and arguments of the usage process. */
  readonly command: readonly [program: string, ...args: string[]];
  /** Where the root of the node's mount namespace shows, `/proc/1/root`; empty where it is the agent's own. */
  readonly nodeRoot: string;
  readonly clock: ClockPort;
  /** How long the process is kept for the next question. */
  readonly idle?: Nanoseconds;
}

/** The kubelet asks once a minute, for one volume after the other. */
const idleFor = 10_000_000_000n as Nanoseconds;

/**
 * Asks a child process how full filesystems are, one question at a time. A child that is late is killed: it may stay in
 * the kernel until its daemon dies, but nobody waits for it.
 */
export function createUsageReader(options: UsageProcessOptions): UsageReader & AsyncDisposable {
  const { clock, nodeRoot, idle = idleFor } = options;
  let child: UsageChild | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let ending: Disposable | undefined;

  const end = () => {
    child?.kill();
    child = undefined;
  };

  async function ask(path: string, deadline: Nanoseconds): Promise<Result<readonly VolumeUsage[]>> {
    ending?.[Symbol.dispose]();
    const asked = child ?? startChild(options.command);
    child = asked;
    const late = Promise.withResolvers<UsageAnswer>();
    using _ = clock.after((deadline - clock.now()) as Nanoseconds, () => late.resolve({ errno: 'ETIMEDOUT' }));
    const answer = await Promise.race([asked.ask(nodeRoot + path), late.promise]);
    if ('usage' in answer) {
      ending = clock.after(idle, end);
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
      ending?.[Symbol.dispose]();
      end();
    },
  });
}

interface UsageChild {
  ask(path: string): Promise<UsageAnswer>;
  kill(): void;
}

function startChild([program, ...args]: UsageProcessOptions['command']): UsageChild {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.unref();
  let answered = Promise.withResolvers<UsageAnswer>();
  let text = '';
  const fail = () => answered.resolve({ errno: 'EIO' });
  child.on('error', fail);
  child.on('exit', fail);
  child.stdin.on('error', fail);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const end = text.indexOf('\n');
    if (end === -1) return;
    answered.resolve(JSON.parse(text.slice(0, end)));
    text = text.slice(end + 1);
  });
  return {
    ask(path) {
      answered = Promise.withResolvers();
      if (child.exitCode !== null || child.signalCode !== null) fail();
      else child.stdin.write(`${JSON.stringify(path)}\n`);
      return answered.promise;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
