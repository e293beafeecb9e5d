import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { setPriority, constants as system } from 'node:os';
import { lastErrno, libc } from '../../../recovery/linux/libc.ts';
import { CLONE_FS, CLONE_NEWNS, O_PATH } from '../../../recovery/linux/syscalls.ts';

/** The reason why a namespace could not be entered. */
export interface EnterFailure {
  readonly errno: string;
  readonly call: string;
  readonly path: string;
  readonly step: string;
}

export interface EnterRequest {
  /** A process of the target, in the caller's PID namespace. */
  readonly pid: number;
  /** User and group to read as; the caller's own if missing. */
  readonly uid?: number;
  readonly gid?: number;
}

const POLLIN = 1;
const PR_SET_TIMERSLACK = 29;

/**
 * Moves the calling thread, and no other, into a process's mount namespace and root directory.
 * Afterwards only synchronous fs of this thread sees that namespace, because asynchronous fs runs in other threads.
 * The thread holds the namespace, and with it dead FUSE connections, until it ends. Nothing is entered, and no privilege needed, if the namespace is
 * already the caller's. Source: `man 2 setns`.
 */
export function enterMountNamespace({ pid, uid, gid }: EnterRequest): EnterFailure | undefined {
  const fail = (call: string, path: string, step: string): EnterFailure => ({ errno: lastErrno(), call, path, step });
  const namespacePath = `/proc/${pid}/ns/mnt`;
  const rootPath = `/proc/${pid}/root`;
  const opened: number[] = [];
  try {
    if (readlinkSync(namespacePath) !== readlinkSync('/proc/thread-self/ns/mnt')) {
      const namespace = openSync(namespacePath, constants.O_RDONLY);
      opened.push(namespace);
      const root = openSync(rootPath, O_PATH);
      opened.push(root);
      if (libc.unshare(CLONE_FS) < 0) return fail('unshare', namespacePath, 'unshare-fs');
      if (libc.setns(namespace, CLONE_NEWNS) < 0) return fail('setns', namespacePath, 'enter-namespace');
      if (libc.fchdir(root) < 0) return fail('fchdir', rootPath, 'enter-root');
      if (libc.chroot('.') < 0) return fail('chroot', rootPath, 'enter-root');
    }
  } catch (error) {
    const { code = 'EUNKNOWN', syscall: call = 'open', path = namespacePath } = error as NodeJS.ErrnoException;
    return { errno: code, call, path, step: 'open-namespace' };
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
  if (gid !== undefined) {
    // A user namespace may forbid setgroups; then the thread keeps its groups.
    if (libc.setgroups(0, null) < 0 && lastErrno() !== 'EPERM') return fail('setgroups', '', 'groups');
    if (libc.setresgid(gid, gid, gid) < 0) return fail('setresgid', '', 'group');
  }
  if (uid !== undefined && libc.setresuid(uid, uid, uid) < 0) return fail('setresuid', '', 'user');
  return undefined;
}

/**
 * Makes the calling thread punctual: its sleeps end within a microsecond of their time instead of 50, and it gets a high
 * priority if the caller may set one. Without that privilege it is only less punctual on a busy machine.
 */
export function bePunctual(): void {
  libc.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  try {
    setPriority(0, system.priority.PRIORITY_HIGH);
  } catch {}
}

/** The process in whose namespace the probe reads. */
export interface TargetProcess {
  /** Whether the process has ended, even if its number is in use again. */
  hasEnded(): boolean;
}

/** Watches a process by pidfd; undefined if there is no process of this number. */
export function watchTarget(pid: number): TargetProcess | undefined {
  const descriptor = Number(libc.pidfd_open(pid, 0));
  if (descriptor < 0) return undefined;
  const request = Buffer.alloc(8);
  request.writeInt32LE(descriptor, 0);
  request.writeInt16LE(POLLIN, 4);
  return { hasEnded: () => libc.poll(request, 1, 0) > 0 };
}

/**
 * Ends this process without joining its threads, because a thread that hangs in a system call never ends. The kernel keeps such a
 * process until the FUSE connection answers or is aborted, so this closes the standard streams first and their readers see the end at once.
 */
export function exitNow(code: number): void {
  for (const stream of [0, 1, 2]) {
    try {
      closeSync(stream);
    } catch {}
  }
  libc._exit(code);
}
