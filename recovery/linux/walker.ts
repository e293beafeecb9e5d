import { readSync, writeSync } from 'node:fs';
import type { Result } from '../engine/ports.ts';
import { type Helper, startHelper } from './helper.ts';
import type { Namespaces } from './namespaces.ts';
import { type OpenResponse, ready, type WaitRequest } from './prober/protocol.ts';
import { errnoOf, failed, inStep } from './result.ts';
import { O_PATH, RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_NO_SYMLINKS, type Syscalls } from './syscalls.ts';

/**
 * Milliseconds for which a daemon's answer to a look-up is waited for: in all at one go, as no turn of the event loop may wait 20 ms, and
 * as a share of all time.
 */
const maxWait = 10;
const waitingShare = 0.2;
/**
 * Milliseconds for which an answer is kept until the caller tries again, which is at the next resync at the latest: otherwise a slow look-up
 * would be repeated for ever. It keeps a mount alive.
 */
const answerLifetime = 6000;
/** How often answers are looked through, in milliseconds. */
const cleaningPeriod = 1000;
/** Milliseconds after which a look-up without an answer is reported. */
const lookupTimeout = 1000;
/** Look-ups without an answer. They are never repeated, and more of them are not begun. */
const maxOpen = 12;

/**
 * Opens paths whose look-up may ask a FUSE daemon: directories inside a FUSE mount, and everything in a container whose image is on one.
 *
 * Paths in the kernel's cache are opened directly. A child process looks all others up, and its descriptor is taken over. If that takes
 * longer than some milliseconds the caller tries again, and gets the descriptor that has been found meanwhile.
 */
export interface Walker extends Disposable {
  /** Starts the child if it has been needed. Must be called before a mount namespace is visited. */
  prepare(isNeeded: boolean): void;
  /**
   * Opens (O_PATH) `path` below a descriptor, through no symbolic link. EINPROGRESS: the look-up continues, try again. ETIMEDOUT: the
   * daemon has not answered for long.
   */
  open(at: number, path: string): Result<number>;
}

type WalkerResponse = OpenResponse & { readonly id: number };

interface WalkerProcess {
  readonly process: Helper;
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
  /** The look-ups without an answer, by mount and path, each with a descriptor of its root, which the caller may close before it is used. */
  const open = new Map<string, { readonly id: number; readonly root: number; readonly begunAt: number }>();
  /** The answers that no caller has taken, by mount and path. */
  const answers = new Map<string, { readonly response: WalkerResponse; readonly at: number }>();
  let cleaning: NodeJS.Timeout | undefined;
  const buffer = Buffer.alloc(65536);

  function endChild(): void {
    if (child === undefined) return;
    child.process.kill();
    sys.close(child.requests);
    sys.close(child.responses);
    child = undefined;
    for (const { root } of open.values()) sys.close(root);
    open.clear();
    answers.clear();
    clearTimeout(cleaning);
    cleaning = undefined;
  }

  /** Milliseconds that may be waited now. */
  function remainingAllowance(): number {
    allowance = Math.min(allowance + waitingShare * (now() - countedAt), maxWait);
    countedAt = now();
    return allowance;
  }

  /** Reads responses until that to a look-up comes, or until the time has passed that may be spent on waiting. */
  function awaitResponse(child: WalkerProcess, key: string): void {
    const end = now() + remainingAllowance();
    for (;;) {
      const since = now();
      const readable = sys.waitReadable(child.responses, Math.max(Math.ceil(end - since), 0));
      allowance -= now() - since;
      if (!readable.ok || !readable.value) return;
      if (!readResponses(child)) {
        endChild();
        return;
      }
      if (child.isReady && (answers.has(key) || !open.has(key))) return;
    }
  }

  /** Returns false if the child has ended. */
  function readResponses(child: WalkerProcess): boolean {
    const read = readSync(child.responses, buffer);
    for (const line of buffer.toString('utf8', 0, read).split('\n')) {
      if (line === ready) child.isReady = true;
      if (line === ready || line === '') continue;
      const response: WalkerResponse = JSON.parse(line);
      const [key, lookUp] = [...open].find(([, each]) => each.id === response.id) ?? [];
      if (key === undefined || lookUp === undefined) continue;
      sys.close(lookUp.root);
      open.delete(key);
      answers.set(key, { response, at: now() });
    }
    return read > 0;
  }

  /** Has the child close the descriptors for which no caller has come again. */
  function dropUnused(): void {
    cleaning = undefined;
    if (child === undefined) return;
    const readable = sys.waitReadable(child.responses, 0);
    if (readable.ok && readable.value && !readResponses(child)) {
      endChild();
      return;
    }
    for (const [key, { response, at }] of answers) {
      if (now() - at < answerLifetime) continue;
      answers.delete(key);
      send(child, { release: response.id });
    }
    if (open.size + answers.size > 0) cleanLater();
  }

  function cleanLater(): void {
    cleaning ??= setTimeout(dropUnused, cleaningPeriod).unref();
  }

  function openInChild(served: WalkerProcess, at: number, path: string): Result<number> {
    const failure = { errno: 'EINPROGRESS', call: 'openat2', path, step: '' };
    const root = sys.identify(at);
    if (!root.ok) return root;
    const key = `${root.value.mountId} ${root.value.device} ${path}`;
    if (open.has(key) || !served.isReady) awaitResponse(served, key);
    if (!answers.has(key) && !open.has(key)) {
      if (child !== served || !served.isReady || open.size >= maxOpen) return failed(failure);
      const held = namespaces.openOf(process.pid, at);
      if (!held.ok) return held;
      const id = nextId++;
      open.set(key, { id, root: held.value, begunAt: now() });
      send(served, { id, at: held.value, path });
      awaitResponse(served, key);
    }
    const answer = answers.get(key)?.response;
    const childPid = served.process.pid();
    if (answer === undefined || childPid === undefined) {
      cleanLater();
      const isLate = now() - (open.get(key)?.begunAt ?? now()) > lookupTimeout;
      return failed({ ...failure, errno: isLate ? 'ETIMEDOUT' : 'EINPROGRESS' });
    }
    answers.delete(key);
    if ('errno' in answer) return failed({ ...failure, errno: answer.errno });
    const opened = namespaces.openOf(childPid, answer.fd);
    send(served, { release: answer.id });
    return inStep('', path, opened);
  }

  return {
    prepare(needed) {
      isNeeded ||= needed;
      if (!isNeeded || child?.process.hasEnded() === false) return;
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
  // The kernel also gives up if any process mounts, unmounts or renames during the look-up.
  for (let attempt = 0; attempt < 10; attempt++) {
    const opened = sys.openat2({ at, path, flags: O_PATH, resolve: resolve | RESOLVE_CACHED });
    if (opened.ok || opened.failure.errno !== 'EAGAIN') return opened;
  }
  return undefined;
}

function send({ requests }: WalkerProcess, request: WaitRequest): void {
  writeSync(requests, `${JSON.stringify(request)}\n`);
}

function startChild(sys: Syscalls, command: readonly string[]): WalkerProcess | undefined {
  const [input, output] = [sys.pipe(), sys.pipe()];
  if (!input.ok || !output.ok) {
    for (const pipe of [input, output]) if (pipe.ok) for (const fd of pipe.value) sys.close(fd);
    return undefined;
  }
  const [stdin, requests] = input.value;
  const [responses, stdout] = output.value;
  const options = { command: [...command, 'wait'], env: { UV_THREADPOOL_SIZE: String(maxOpen + 1) } };
  const process = startHelper(sys, { ...options, input: stdin, output: stdout });
  return { process, requests, responses, isReady: false };
}
