import { readlinkSync } from 'node:fs';
import type { Result } from '../engine/ports.ts';
import { done, inStep, ok } from './result.ts';
import { CLONE_FS, CLONE_NEWNS, MNT_DETACH, O_DIRECTORY, O_PATH, type Syscalls } from './syscalls.ts';

/** The way back into the process's own mount namespace failed: nothing that the process does from here on is right. */
export class NamespaceLost extends Error {
  readonly code = 'NAMESPACE_LOST';
}

/**
 * Visits to mount namespaces, made by the main thread and finished before they return.
 *
 * During a visit the thread's root and working directory are those of the namespace: only synchronous calls may be made, and
 * paths are the namespace's. Asynchronous `fs` runs on threads that never leave. A namespace's descriptor is held only
 * while it is entered, because it keeps a dead pod's mounts alive.
 */
export interface Namespaces {
  /** Runs in the mount namespace of the node, the kubelet's. */
  inNode<T>(run: () => Result<T>): Result<T>;
  /** Runs in the mount namespace of each process, one after the other; one result for each. Comes home once, at the end. */
  inProcesses<T>(pids: readonly number[], run: (pid: number) => Result<T>): readonly Result<T>[];
  /** Runs in the namespace that a descriptor stands for, which stays open. */
  inNamespace<T>(fd: number, run: () => Result<T>): Result<T>;
  /** Runs in a mount namespace that is made for the run alone, a copy of the process's own. */
  inCopy<T>(run: () => Result<T>): Result<T>;
  /** The mount table of the namespace that is being visited. */
  openTable(): Result<number>;
  /** The namespace that is being visited. */
  openCurrent(): Result<number>;
  /** Opens (O_PATH) what a process has open. */
  openOf(pid: number, fd: number): Result<number>;
  /** Detaches, lazily, the mount that a descriptor stands for. Works where no /proc is mounted. */
  detach(fd: number): Result<void>;
  /** Runs with the descriptor's path `thread-self/fd/N` valid, for calls that know only paths. */
  withPathOf<T>(fd: number, run: (path: string) => Result<T>): Result<T>;
  [Symbol.dispose](): void;
}

/**
 * Keeps the process's own mount namespace and its /proc open, to come back to.
 *
 * `node`: the node's mount namespace as a path, `/proc/1/ns/mnt`, where it is not the process's own.
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

  function comeBack(cause?: unknown): void {
    const returned = sys.setns(home, CLONE_NEWNS);
    if (returned.ok) return;
    throw new NamespaceLost(`setns to the own mount namespace: ${returned.failure.errno}`, { cause });
  }

  /** Node's threads share their root and working directory at first, and `setns` refuses that. */
  function leaveFrom<T>(leave: () => Result<void>, run: () => Result<T>, back: boolean): Result<T> {
    const directory = sys.open('.', O_PATH | O_DIRECTORY);
    try {
      const alone = sys.unshare(CLONE_FS);
      if (!alone.ok) return inStep('leave', '', alone);
      const left = leave();
      if (!left.ok) return left;
      let result: Result<T>;
      try {
        result = run();
      } catch (error) {
        if (back) comeBack(error);
        throw error;
      }
      if (back) comeBack();
      return result;
    } finally {
      if (directory.ok) {
        sys.fchdir(directory.value);
        sys.close(directory.value);
      }
    }
  }

  function enter(path: string): Result<void> {
    const namespace = sys.openat2({ at: procFd, path, flags: 0, resolve: 0 });
    if (!namespace.ok) return inStep('enter', path, namespace);
    try {
      return inStep('enter', path, sys.setns(namespace.value, CLONE_NEWNS));
    } finally {
      sys.close(namespace.value);
    }
  }

  function inProcesses<T>(pids: readonly number[], run: (pid: number) => Result<T>): readonly Result<T>[] {
    const results: Result<T>[] = [];
    const visitAll = () => {
      for (const pid of pids) {
        const entered = enter(`${pid}/ns/mnt`);
        results.push(entered.ok ? run(pid) : entered);
      }
      return done;
    };
    const visited = leaveFrom(() => done, visitAll, true);
    return visited.ok ? results : pids.map(() => visited);
  }

  function withPathOf<T>(fd: number, run: (path: string) => Result<T>): Result<T> {
    const moved = sys.fchdir(procFd);
    return moved.ok ? run(`thread-self/fd/${fd}`) : moved;
  }

  const nodeIsElsewhere = node !== undefined && !sameNamespace(node, '/proc/thread-self/ns/mnt');

  return ok({
    inNode: (run) => (nodeIsElsewhere ? leaveFrom(() => enter(node), run, true) : leaveFrom(() => done, run, false)),
    inProcesses,
    inNamespace: (fd, run) => leaveFrom(() => inStep('enter', '', sys.setns(fd, CLONE_NEWNS)), run, true),
    inCopy: (run) => leaveFrom(() => inStep('copy-namespace', '', sys.unshare(CLONE_NEWNS)), run, true),
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

function sameNamespace(a: string, b: string): boolean {
  try {
    return readlinkSync(a) === readlinkSync(b);
  } catch {
    return false;
  }
}
