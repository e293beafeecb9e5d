import { type ChildProcess, spawn } from 'node:child_process';
import { readSync, writeSync } from 'node:fs';
import type { Result } from '../engine/ports.ts';
import type { Namespaces } from './namespaces.ts';
import { type OpenResponse, ready, type WaitRequest } from './prober/protocol.ts';
import { errnoOf, failed, inStep } from './result.ts';
import { O_PATH, RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_NO_SYMLINKS, type Syscalls } from './syscalls.ts';

/** Milliseconds for which a daemon's answer to a look-up is waited for. */
const usualWait = 10;
/**
 * The share of all time that may be spent on waiting, and the milliseconds that can be saved up for one wait. Only a look-up whose
 * answer came too late before waits that long: if the kernel does not cache its names, a late answer cannot be used.
 */
const waitingShare = 0.2;
const maxWait = 250;
/** Look-ups that are remembered because they were late. */
const maxLate = 1000;
/** Milliseconds after which a look-up without an answer is reported. */
const lookupTimeout = 1000;
/** Look-ups without an answer. They are never repeated, and more of them are not begun. */
const maxOpen = 12;

/**
 * Opens paths whose look-up may ask a FUSE daemon: directories inside a FUSE mount, and everything in a container whose image is on one.
 *
 * Paths in the kernel's cache are opened directly. A child process looks all others up, and its descriptor is taken over. If that takes
 * longer than some milliseconds the caller tries again: the kernel's cache then has the answer, or the child is waited for longer.
 */
export interface Walker extends Disposable {
  /** Starts the child if it has been needed. Must be called before a mount namespace is visited. */
  prepare(isNeeded: boolean): void;
  /**
   * Opens (O_PATH) `path` below a descriptor, through no symbolic link. EINPROGRESS: the look-up goes on, try again. ETIMEDOUT: the
   * daemon has not answered for long.
   */
  open(at: number, path: string): Result<number>;
}

interface WalkerProcess {
  readonly process: ChildProcess;
  readonly requests: number;
  readonly responses: number;
  /** Whether it has started and serves requests. */
  isReady: boolean;
}

export interface WalkerOptions {
  readonly sys: Syscalls;
  readonly namespaces: Pick<Namespaces, 'openOf'>;
  readonly command: readonly string[];
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export function createWalker({ sys, namespaces, command, now }: WalkerOptions): Walker {
  let child: WalkerProcess | undefined;
  let isNeeded = false;
  let allowance = maxWait;
  let countedAt = now();
  let nextId = 1;
  /** The look-ups that were answered after the wait, by device and path. */
  const late = new Set<string>();
  /** When the look-ups that have no answer were begun, by device and path. */
  const open = new Map<string, { readonly id: number; readonly begunAt: number }>();
  const buffer = Buffer.alloc(65536);

  function endChild(): void {
    if (child === undefined) return;
    child.process.kill('SIGKILL');
    sys.close(child.requests);
    sys.close(child.responses);
    child = undefined;
    open.clear();
    late.clear();
  }

  /** Milliseconds that may be waited now. */
  function remainingAllowance(): number {
    allowance = Math.min(allowance + waitingShare * (now() - countedAt), maxWait);
    countedAt = now();
    return allowance;
  }

  /** Reads responses until that of `id` comes or the limit in milliseconds ends. The descriptors of all others are released. */
  function awaitResponse(child: WalkerProcess, id: number, limit: number): OpenResponse | undefined {
    const end = now() + Math.min(limit, remainingAllowance());
    for (;;) {
      const since = now();
      const readable = sys.waitReadable(child.responses, Math.max(Math.ceil(end - since), 0));
      allowance -= now() - since;
      if (!readable.ok || !readable.value) return undefined;
      const read = readSync(child.responses, buffer);
      if (read === 0) {
        endChild();
        return undefined;
      }
      let awaited: OpenResponse | undefined;
      for (const line of buffer.toString('utf8', 0, read).split('\n')) {
        if (line === ready) child.isReady = true;
        if (line === ready || line === '') continue;
        const response: OpenResponse & { readonly id: number } = JSON.parse(line);
        const [key = ''] = [...open].find(([, each]) => each.id === response.id) ?? [];
        open.delete(key);
        if (response.id === id) {
          awaited = response;
          continue;
        }
        if (late.size === maxLate) late.clear();
        late.add(key);
        send(child, { release: response.id });
      }
      if (awaited !== undefined) return awaited;
    }
  }

  function openInChild(child: WalkerProcess, at: number, path: string): Result<number> {
    const failure = { errno: 'EINPROGRESS', call: 'openat2', path, step: '' };
    const root = sys.identify(at);
    if (!root.ok) return root;
    const key = `${root.value.device} ${path}`;
    const before = open.get(key);
    if (before !== undefined || !child.isReady) awaitResponse(child, 0, usualWait);
    if (open.has(key)) {
      const isLate = now() - (before?.begunAt ?? 0) > lookupTimeout;
      return failed({ ...failure, errno: isLate ? 'ETIMEDOUT' : 'EINPROGRESS' });
    }
    if (!child.isReady || open.size >= maxOpen) return failed(failure);
    const id = nextId++;
    open.set(key, { id, begunAt: now() });
    send(child, { id, at, path });
    const response = awaitResponse(child, id, late.has(key) ? maxWait : usualWait);
    if (response === undefined) return failed(failure);
    if ('errno' in response) return failed({ ...failure, errno: response.errno });
    const opened = namespaces.openOf(child.process.pid ?? 0, response.fd);
    send(child, { release: id });
    return inStep('', path, opened);
  }

  return {
    prepare(needed) {
      isNeeded ||= needed;
      if (!isNeeded || (child?.process.exitCode === null && child.process.signalCode === null)) return;
      endChild();
      child = startChild(sys, command);
    },
    open(at, path) {
      const resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
      const cached = openCached(sys, { at, path, resolve });
      if (cached !== undefined) return cached;
      isNeeded = true;
      if (child === undefined) return failed({ errno: 'EINPROGRESS', call: 'openat2', path, step: '' });
      try {
        return openInChild(child, at, path);
      } catch (error) {
        endChild();
        return failed({ errno: errnoOf(error), call: 'openat2', path, step: '' });
      }
    },
    [Symbol.dispose]: endChild,
  };
}

/** Opens (O_PATH) from the kernel's cache alone; undefined if a filesystem would have to be asked. */
export function openCached(
  sys: Pick<Syscalls, 'openat2'>,
  { at, path, resolve }: { readonly at: number; readonly path: string; readonly resolve: number },
): Result<number> | undefined {
  // The kernel also gives up if the tree changes during the look-up.
  for (let attempt = 0; attempt < 3; attempt++) {
    const opened = sys.openat2({ at, path, flags: O_PATH, resolve: resolve | RESOLVE_CACHED });
    // EINVAL: Linux 5.10 and 5.11 do not know RESOLVE_CACHED.
    if (opened.ok || (opened.failure.errno !== 'EAGAIN' && opened.failure.errno !== 'EINVAL')) return opened;
  }
  return undefined;
}

function send({ requests }: WalkerProcess, request: WaitRequest): void {
  writeSync(requests, `${JSON.stringify(request)}\n`);
}

function startChild(
  sys: Syscalls,
  [program = process.execPath, ...args]: readonly string[],
): WalkerProcess | undefined {
  const [input, output] = [sys.pipe(), sys.pipe()];
  if (!input.ok || !output.ok) {
    for (const pipe of [input, output]) if (pipe.ok) for (const fd of pipe.value) sys.close(fd);
    return undefined;
  }
  const [stdin, requests] = input.value;
  const [responses, stdout] = output.value;
  const child = spawn(program, [...args, 'wait'], {
    stdio: [stdin, stdout, 'inherit'],
    env: { UV_THREADPOOL_SIZE: String(maxOpen + 1) },
  });
  // It ends with this process, which does not wait for it.
  child.unref();
  child.on('error', () => {});
  sys.close(stdin);
  sys.close(stdout);
  return { process: child, requests, responses, isReady: false };
}
