import type { Result } from '../engine/ports.ts';
import type { NamespacedProcess } from './processes.ts';
import { done, failed, inStep, ok } from './result.ts';
import { CLONE_FS, CLONE_NEWNS, MNT_DETACH, O_DIRECTORY, O_PATH, type Syscalls } from './syscalls.ts';

/** The process cannot return to its own mount namespace, so it must not continue. */
export class NamespaceLost extends Error {
  readonly code = 'NAMESPACE_LOST';
}

/**
 * Runs functions of the main thread in other mount namespaces, and returns to the own one before anything else runs.
 *
 * During a visit the thread's root and working directory are the namespace's, so only synchronous calls may be made: asynchronous
 * `fs` runs on threads that stay behind. A namespace's descriptor is open only during the visit, because it keeps a dead
 * pod's mounts alive.
 */
export interface Namespaces {
  /** Runs in the node's mount namespace, which is the kubelet's. */
  inNode<T>(run: () => Result<T>): Result<T>;
  /**
   * Runs in the mount namespaces of the processes in turn, and returns home once, at the end. One result per process, which is ESTALE if
   * another process has its pid. `pidfd`: a descriptor of the process if one is open, by which it is entered more quickly.
   */
  inProcesses<T>(
    processes: readonly NamespacedProcess[],
    run: (pid: number) => Result<T>,
    pidfd?: (pid: number) => number | undefined,
  ): readonly Result<T>[];
  /** Runs in the namespace that a descriptor refers to. The descriptor stays open. */
  inNamespace<T>(fd: number, run: () => Result<T>): Result<T>;
  /** Runs in a new mount namespace, a copy of the process's own. */
  inCopy<T>(run: () => Result<T>): Result<T>;
  /** Opens the mount table of the namespace that is being visited. */
  openTable(): Result<number>;
  /** Opens the namespace that is being visited. */
  openCurrent(): Result<number>;
  /** Opens (O_PATH) the file that a process has open under a descriptor number. */
  openOf(pid: number, fd: number): Result<number>;
  /** Lazily detaches the mount that a descriptor refers to. Works without a mounted /proc. */
  detach(fd: number): Result<void>;
  /** Runs with a path that leads to the descriptor, for calls that take only paths. */
  withPathOf<T>(fd: number, run: (path: string) => Result<T>): Result<T>;
  [Symbol.dispose](): void;
}

/**
 * Holds the process's own mount namespace open, to return to it, and its /proc.
 *
 * `node`: path of the node's mount namespace, `/proc/1/ns/mnt`, if it may not be the process's own. It may lead elsewhere later.
 */
export function openNamespaces(sys: Syscalls, node: string | undefined): Result<Namespaces> {
  const own = sys.open('/proc/thread-self/ns/mnt');
  if (!own.ok) return inStep('open-namespaces', '', own);
  const proc = sys.open('/proc', O_PATH | O_DIRECTORY);
  if (!proc.ok) {
    sys.close(own.value);
    return inStep('open-namespaces', '', proc);
  }
  const home = own.value;
  const procFd = proc.value;

  function returnHome(cause?: unknown): void {
    const returned = sys.setns(home, CLONE_NEWNS);
    if (returned.ok) return;
    throw new NamespaceLost(`cannot return to the own mount namespace: setns ${returned.failure.errno}`, { cause });
  }

  /** Unshares first, because Node's threads share root and working directory and `setns` then fails. */
  function visit<T>(enterNamespace: () => Result<void>, run: () => Result<T>, returns: boolean): Result<T> {
    const directory = sys.open('.', O_PATH | O_DIRECTORY);
    try {
      const unshared = sys.unshare(CLONE_FS);
      if (!unshared.ok) return inStep('leave', '', unshared);
      const entered = enterNamespace();
      if (!entered.ok) return entered;
      let result: Result<T>;
      try {
        result = run();
      } catch (error) {
        if (returns) returnHome(error);
        throw error;
      }
      if (returns) returnHome();
      return result;
    } finally {
      if (directory.ok) {
        sys.fchdir(directory.value);
        sys.close(directory.value);
      }
    }
  }

  /** `name`: of the namespace that is expected there, `mnt:[inode]`. */
  function enter(path: string, name?: string): Result<void> {
    const namespace = sys.openat2({ at: procFd, path, flags: 0, resolve: 0 });
    if (!namespace.ok) return inStep('enter', path, namespace);
    try {
      const found = name === undefined ? undefined : sys.identify(namespace.value);
      if (found?.ok && `mnt:[${found.value.inode}]` !== name)
        return failed({ errno: 'ESTALE', call: 'statx', path, step: 'enter' });
      return inStep('enter', path, found?.ok === false ? found : sys.setns(namespace.value, CLONE_NEWNS));
    } finally {
      sys.close(namespace.value);
    }
  }

  function inProcesses<T>(
    processes: readonly NamespacedProcess[],
    run: (pid: number) => Result<T>,
    pidfd?: (pid: number) => number | undefined,
  ): readonly Result<T>[] {
    const results: Result<T>[] = [];
    const visitAll = () => {
      for (const { pid, mountNamespace } of processes) {
        const held = pidfd?.(pid);
        const entered =
          held === undefined
            ? enter(`${pid}/ns/mnt`, mountNamespace)
            : inStep('enter', String(pid), sys.setns(held, CLONE_NEWNS));
        results.push(entered.ok ? run(pid) : entered);
      }
      return done;
    };
    const visited = visit(() => done, visitAll, true);
    return visited.ok ? results : processes.map(() => visited);
  }

  function withPathOf<T>(fd: number, run: (path: string) => Result<T>): Result<T> {
    const moved = sys.fchdir(procFd);
    return moved.ok ? run(`thread-self/fd/${fd}`) : moved;
  }

  function isElsewhere(path: string): boolean {
    const there = sys.readlink(path);
    const here = sys.readlink('/proc/thread-self/ns/mnt');
    return !there.ok || !here.ok || there.value !== here.value;
  }

  return ok({
    inNode: (run) =>
      node !== undefined && isElsewhere(node) ? visit(() => enter(node), run, true) : visit(() => done, run, false),
    inProcesses,
    inNamespace: (fd, run) => visit(() => inStep('enter', '', sys.setns(fd, CLONE_NEWNS)), run, true),
    inCopy: (run) => visit(() => inStep('copy-namespace', '', sys.unshare(CLONE_NEWNS)), run, true),
    openTable: () => sys.openat2({ at: procFd, path: 'thread-self/mountinfo', flags: 0, resolve: 0 }),
    openCurrent: () => sys.openat2({ at: procFd, path: 'thread-self/ns/mnt', flags: 0, resolve: 0 }),
    openOf: (pid, fd) => sys.openat2({ at: procFd, path: `${pid}/fd/${fd}`, flags: O_PATH, resolve: 0 }),
    detach: (fd) => withPathOf(fd, (path) => sys.umount(path, MNT_DETACH)),
    withPathOf,
    [Symbol.dispose]() {
      sys.close(home);
      sys.close(procFd);
    },
  });
}
