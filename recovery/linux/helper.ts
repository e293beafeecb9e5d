import { Socket } from 'node:net';
import { getPriority, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { libc, pollReadable } from './libc.ts';
import { loadSyscalls } from './load-syscalls.ts';
import type { Syscalls } from './syscalls.ts';

type HelperCalls = Pick<Syscalls, 'pipe' | 'pidfdOpen' | 'close'>;

export interface HelperOptions {
  /** The program, by its path, and its arguments. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A process that the agent has started for what may block. It ends with its input or with the agent. */
export interface Helper {
  /** Undefined until it has started. */
  pid(): number | undefined;
  /** Whether it has ended or could not be started. */
  hasEnded(): boolean;
  readonly ended: Promise<void>;
  /** One that hangs in a call ends only when the call does. Node can exit without it. */
  kill(): void;
}

/** A helper that is sent lines, and responds with lines. */
export interface LineHelper extends Helper {
  /** Lines to one that has ended are lost. */
  send(line: string): void;
}

/**
 * Starts a process in a thread of libuv's pool (docs/adr/0061). Node's `spawn` lets the event loop wait until the child has executed its
 * program, which takes as long as processor and disk like. Takes over the descriptors for its input and output.
 */
export function startHelper(
  sys: HelperCalls,
  { command, env = {}, input, output }: HelperOptions & { readonly input: number; readonly output: number },
): Helper {
  const [program = ''] = command;
  const actions = Buffer.alloc(fileActionsBytes);
  libc.posix_spawn_file_actions_init(actions);
  // Node's own descriptors are closed on execution, and a copy onto the same number keeps one open.
  for (const [from, to] of [
    [input, 0],
    [output, 1],
    [2, 2],
  ] as const)
    libc.posix_spawn_file_actions_adddup2(actions, from, to);
  // Read at any time: a caller that does not return to the event loop finds the pid, too.
  const started = Buffer.alloc(4);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let hasEnded = false;
  const pid = () => started.readInt32LE(0) || undefined;
  let isKilled = false;
  const onEnd = () => {
    hasEnded = true;
    // koffi calls back outside of Node's handling of promises; from an immediate they settle at once.
    setImmediate(end);
  };
  const kill = () => {
    isKilled = true;
    const child = pid();
    if (child !== undefined && !hasEnded) process.kill(child, 'SIGKILL');
  };

  function onStarted(child: number): void {
    try {
      // Threads of the pool may have the priority that this process had at first.
      setPriority(child, getPriority());
    } catch {
      // It has ended.
    }
    const pidfd = sys.pidfdOpen(child);
    if (!pidfd.ok) {
      kill();
      libc.waitpid.async(child, null, 0, onEnd);
      return;
    }
    const watch = pollReadable(pidfd.value, () => {
      endWatch(watch);
      sys.close(pidfd.value);
      libc.waitpid(child, null, WNOHANG);
      onEnd();
    });
    watch.unref();
    beginWatch(watch);
    if (isKilled) kill();
  }

  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  libc.posix_spawn.async(started, program, actions, null, [...command, null], [...variables, null], (_, error) => {
    libc.posix_spawn_file_actions_destroy(actions);
    for (const fd of [input, output]) sys.close(fd);
    const child = pid();
    if (error === 0 && child !== undefined) onStarted(child);
    else onEnd();
  });
  return { pid, hasEnded: () => hasEnded, ended, kill };
}

/** The watches of all helpers. Node fails if one calls back while the process exits. */
const watches = new Set<{ close(): void }>();

function beginWatch(watch: { close(): void }): void {
  if (watches.size === 0) process.once('exit', closeWatches);
  watches.add(watch);
}

function endWatch(watch: { close(): void }): void {
  watch.close();
  watches.delete(watch);
  if (watches.size === 0) process.off('exit', closeWatches);
}

function closeWatches(): void {
  for (const watch of watches) watch.close();
}

/** Larger than `posix_spawn_file_actions_t` of any C library. */
const fileActionsBytes = 256;
const WNOHANG = 1;

/** Starts a process that talks in lines. `onLine` is called with each line of its output. */
export function startLineHelper(
  options: HelperOptions & { readonly onLine: (line: string) => void },
  sys: HelperCalls = loadSyscalls(),
): LineHelper {
  const [requests, responses] = [sys.pipe(), sys.pipe()];
  if (!requests.ok || !responses.ok) {
    for (const pipe of [requests, responses]) if (pipe.ok) for (const fd of pipe.value) sys.close(fd);
    return notStarted;
  }
  const [input, writeEnd] = requests.value;
  const [readEnd, output] = responses.value;
  const sender = new Socket({ fd: writeEnd, readable: false, writable: true });
  const receiver = new Socket({ fd: readEnd, readable: true, writable: false });
  // Writing to a process that has ended fails. Its end is noticed by itself.
  for (const socket of [sender, receiver]) socket.on('error', () => {});
  createInterface({ input: receiver }).on('line', options.onLine);
  const helper = startHelper(sys, { ...options, input, output });
  return {
    ...helper,
    send: (line) => void sender.write(`${line}\n`),
    kill() {
      helper.kill();
      sender.destroy();
      receiver.destroy();
    },
  };
}

/** There were no descriptors for its pipes. */
const notStarted: LineHelper = {
  pid: () => undefined,
  hasEnded: () => true,
  ended: Promise.resolve(),
  kill: () => {},
  send: () => {},
};

/** Milliseconds to wait for killed processes at the end. One with a call that hangs ends only when its daemon answers or ends. */
const disposalTimeout = 200;

/** Kills processes, and resolves when they have ended, or after a moment. */
export async function killAll(helpers: readonly Pick<Helper, 'kill' | 'ended'>[]): Promise<void> {
  for (const each of helpers) each.kill();
  await within(disposalTimeout, Promise.all(helpers.map(({ ended }) => ended)));
}

/** Resolves with undefined after the given milliseconds. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: timeout, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), Math.max(milliseconds, 0));
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
