import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { setPriority, constants as system } from 'node:os';
import koffi from 'koffi';

/** Why a namespace could not be entered. */
export interface EnterFailure {
  readonly errno: string;
  readonly call: string;
  readonly path: string;
  readonly step: string;
}

export interface EnterRequest {
  /** A process of the target, in the caller's PID namespace. */
  readonly pid: number;
  /** Identity to read as; the caller's where absent. */
  readonly uid?: number;
  readonly gid?: number;
}

const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
const PR_SET_TIMERSLACK = 29;
/** x86-64. Raw calls change the calling thread only; the C library's functions would change all threads. */
const SYS_SETGROUPS = 116;
const SYS_SETRESUID = 117;
const SYS_SETRESGID = 119;

const errnoNames = new Map(Object.entries(system.errno).map(([name, number]) => [number, name]));

/**
 * Brings the calling thread, and no other, into a process's mount namespace and root directory.
 * Afterwards only synchronous fs of this thread sees that namespace: asynchronous fs runs in threads that stay behind.
 * The thread holds the namespace, and with it dead FUSE connections, until it ends. A namespace that is already the
 * caller's is not entered, which needs no privilege. Source: `man 2 setns`, node facts.
 */
export function enterMountNamespace({ pid, uid, gid }: EnterRequest): EnterFailure | undefined {
  const libc = koffi.load('libc.so.6');
  const unshare = libc.func('int unshare(int)');
  const setns = libc.func('int setns(int, int)');
  const fchdir = libc.func('int fchdir(int)');
  const chroot = libc.func('int chroot(const char *)');
  const syscall = libc.func('long syscall(long, long, long, long)');
  const fail = (call: string, path: string, step: string): EnterFailure => ({
    errno: errnoNames.get(koffi.errno()) ?? `errno ${koffi.errno()}`,
    call,
    path,
    step,
  });

  const namespacePath = `/proc/${pid}/ns/mnt`;
  const rootPath = `/proc/${pid}/root`;
  const opened: number[] = [];
  try {
    if (readlinkSync(namespacePath) !== readlinkSync('/proc/thread-self/ns/mnt')) {
      const namespace = openSync(namespacePath, constants.O_RDONLY);
      opened.push(namespace);
      const root = openSync(rootPath, (system as { O_PATH?: number }).O_PATH ?? 0x200000);
      opened.push(root);
      if (unshare(CLONE_FS) < 0) return fail('unshare', namespacePath, 'unshare-fs');
      if (setns(namespace, CLONE_NEWNS) < 0) return fail('setns', namespacePath, 'enter-namespace');
      if (fchdir(root) < 0) return fail('fchdir', rootPath, 'enter-root');
      if (chroot('.') < 0) return fail('chroot', rootPath, 'enter-root');
    }
  } catch (error) {
    const { code = 'EUNKNOWN', syscall: call = 'open', path = namespacePath } = error as NodeJS.ErrnoException;
    return { errno: code, call, path, step: 'open-namespace' };
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
  if (gid !== undefined) {
    // A user namespace may forbid setgroups for good; its processes keep the groups that they have.
    if (syscall(SYS_SETGROUPS, 0, 0, 0) < 0 && koffi.errno() !== system.errno.EPERM)
      return fail('setgroups', '', 'groups');
    if (syscall(SYS_SETRESGID, gid, gid, gid) < 0) return fail('setresgid', '', 'group');
  }
  if (uid !== undefined && syscall(SYS_SETRESUID, uid, uid, uid) < 0) return fail('setresuid', '', 'user');
  return undefined;
}

/**
 * Makes the calling thread wake up when it has to: its sleeps end within a microsecond of their time, where the default is 50,
 * and it goes before others where the caller may say so. Without that privilege it only keeps time less well on a busy machine.
 */
export function keepTime(): void {
  koffi.load('libc.so.6').func('int prctl(int, unsigned long, ...)')(PR_SET_TIMERSLACK, 1);
  try {
    setPriority(0, system.priority.PRIORITY_HIGH);
  } catch {}
}
