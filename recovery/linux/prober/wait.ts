import { readSync, writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { meaningOf } from '../../engine/liveness.ts';
import type { FilesystemUsage } from '../../engine/model.ts';
import { lastErrno, libc, type NativeFunction, pollReadable } from '../libc.ts';
import { loadSyscalls } from '../load-syscalls.ts';
import { O_CLOEXEC, O_PATH, RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_NO_SYMLINKS } from '../syscalls.ts';
import { calls, ReadFailure } from './calls.ts';
import {
  type Answer,
  type NamespaceFile,
  type Question,
  ready,
  type WaitRequest,
  type WaitResponse,
} from './protocol.ts';

const sys = loadSyscalls();

/** Runs a function in a mount namespace; the process's own if undefined. */
export type EnterNamespace = <T>(namespace: NamespaceFile | undefined, run: () => T) => T;

/**
 * Waits for any number of FUSE daemons at once: each call that may block runs in a thread of libuv's pool, which costs little more than its
 * stack. The main thread never waits: it visits a namespace only to open its root, and asks the kernel's cache for paths.
 *
 * Serves two kinds of requests: whether a connection answers statfs, and look-ups of paths for the parent, which takes each opened
 * descriptor over through /proc.
 */
export function serveWaits(parent: number, enter: EnterNamespace): void {
  const control = calls.open('/proc', O_PATH, { step: 'start', path: '/proc' });
  /** The questions without an answer, and whether the daemon has been asked. */
  const open = new Map<number, { isAsked: boolean }>();
  /** Descriptors of look-ups that the parent has not released. */
  const found = new Map<number, number>();

  async function answer(question: Question): Promise<void> {
    const { id } = question;
    const state = { isAsked: false };
    open.set(id, state);
    const response = await ask(question, enter, () => {
      state.isAsked = true;
    }).catch(toFailure);
    open.delete(id);
    print({ id, ...response });
  }

  /** Threads take calls in order: once this one has returned, the daemon of an earlier one has been asked, too. */
  async function confirm(id: number): Promise<void> {
    await inThread(libc.fstatfs, control, Buffer.alloc(128));
    // Answers that have arrived meanwhile come first.
    await nextTurn();
    const state = open.get(id);
    if (state !== undefined) print({ id, isAsked: state.isAsked });
  }

  async function lookUp(id: number, at: number, path: string): Promise<void> {
    const directory = libc.open(`/proc/${parent}/fd/${at}`, O_PATH | O_CLOEXEC, 0);
    if (directory < 0) return print({ id, errno: lastErrno() });
    const opened = await openPath(directory, path, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
    calls.close(directory);
    if (typeof opened === 'string') return print({ id, errno: opened });
    found.set(id, opened);
    print({ id, fd: opened });
  }

  function serve(request: WaitRequest): void {
    if ('confirm' in request) void confirm(request.confirm);
    else if ('at' in request) void lookUp(request.id, request.at, request.path);
    else if ('release' in request) {
      const fd = found.get(request.release);
      if (fd !== undefined) calls.close(fd);
      found.delete(request.release);
    } else void answer(request);
  }

  const buffer = Buffer.alloc(65536);
  let rest = '';
  const input = pollReadable(0, () => {
    const read = readSync(0, buffer);
    // An orderly exit would wait for the threads of the pool, which may never end.
    if (read === 0) libc._exit(0);
    const lines = (rest + buffer.toString('utf8', 0, read)).split('\n');
    rest = lines.pop() ?? '';
    // koffi calls back outside of Node's handling of promises; from an immediate they settle at once.
    setImmediate(() => {
      for (const line of lines) serve(JSON.parse(line));
    });
  });
  // Referenced for good, as the poll ends with its handle.
  process.once('exit', () => input.close());
  writeSync(1, `${ready}\n`);
}

/** Rejects with `ReadFailure` if the daemon could not be asked. */
async function ask({ namespace, path, device }: Question, enter: EnterNamespace, asking: () => void): Promise<Answer> {
  const at = { step: 'ask-open', path };
  const root = enter(namespace, () => calls.open('/', O_PATH, at));
  const opened = await openPath(root, path.slice(1) || '.', RESOLVE_NO_SYMLINKS).finally(() => calls.close(root));
  if (typeof opened === 'string') throw new ReadFailure({ errno: opened, call: 'openat2', ...at });
  try {
    if (calls.device(opened, at) !== device) throw new ReadFailure({ errno: 'ESTALE', call: 'statx', ...at });
    const buffer = Buffer.alloc(128);
    asking();
    const answered = await inThread(libc.fstatfs, opened, buffer);
    if (typeof answered === 'string') {
      const meaning = meaningOf(answered, 'asks');
      if (meaning === 'unknown') throw new ReadFailure({ errno: answered, call: 'fstatfs', ...at });
      return meaning === 'dead' ? { dead: answered } : {};
    }
    const usage = decodeStatfs(buffer);
    if (usage !== undefined) return { usage };
    calls.checkAdmitted(opened, at);
    return {};
  } finally {
    calls.close(opened);
  }
}

function toFailure(error: unknown): Answer {
  if (error instanceof ReadFailure) return { unknown: error.failure.errno };
  throw error;
}

/** Opens (O_PATH) from the kernel's cache if it can, otherwise in a thread. Resolves with a descriptor or the name of an errno. */
async function openPath(at: number, path: string, resolve: number): Promise<number | string> {
  const how = Buffer.from(BigUint64Array.of(BigInt(O_PATH | O_CLOEXEC), 0n, BigInt(resolve)).buffer);
  const cached = sys.openat2({ at, path, flags: O_PATH, resolve: resolve | RESOLVE_CACHED });
  if (cached.ok) return cached.value;
  const { errno } = cached.failure;
  return errno === 'EAGAIN' ? inThread(libc.openat2, at, path, how, how.length) : errno;
}

/** Runs a call in a thread of the pool. Resolves with its result or the name of its errno. */
function inThread(call: NativeFunction, ...args: readonly unknown[]): Promise<number | string> {
  return new Promise((resolve, reject) => {
    call.async(...args, (error, returned) => {
      if (error) reject(error);
      else resolve(Number(returned) < 0 ? lastErrno() : Number(returned));
    });
  });
}

/** Decodes `struct statfs`; undefined if nothing but the type is set. */
function decodeStatfs(buffer: Buffer): FilesystemUsage | undefined {
  const at = (offset: number) => Number(buffer.readBigUInt64LE(offset));
  const blockSize = at(72) || at(8);
  if (blockSize === 0 && at(64) === 0) return undefined;
  const [blocks, free, available] = [at(16), at(24), at(32)];
  return {
    totalBytes: blocks * blockSize,
    availableBytes: available * blockSize,
    usedBytes: (blocks - free) * blockSize,
    inodes: at(40),
    freeInodes: at(48),
  };
}

function print(response: WaitResponse): void {
  writeSync(1, `${JSON.stringify(response)}\n`);
}
