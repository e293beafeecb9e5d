import { readFileSync } from 'node:fs';
import { loadSyscalls } from '../../recovery/linux/load-syscalls.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import {
  AT_FDCWD,
  CLONE_FS,
  CLONE_NEWNS,
  CLONE_NEWPID,
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REMOUNT,
  O_PATH,
} from '../../recovery/linux/syscalls.ts';

type NamespaceKind = 'mnt' | 'pid';

const namespaceFlags: Readonly<Record<NamespaceKind, number>> = { mnt: CLONE_NEWNS, pid: CLONE_NEWPID };

/** The system calls of a container runtime. They throw `LinuxError`. */
export interface Linux {
  /** Runs `work` in new namespaces; its child processes get the new PID namespace. The calling thread returns home. */
  inNewNamespaces<T>(namespaces: readonly NamespaceKind[], work: () => T): T;
  /** Runs `work` in the namespaces of a process; its child processes join the PID namespace. */
  inNamespacesOf<T>(pid: number, namespaces: readonly NamespaceKind[], work: () => T): T;
  mount(source: string | null, target: string, fstype: string | null, flags: number, data?: string): void;
  umount(target: string, flags: number): void;
  /** A detached recursive clone of the mount at a path, as a descriptor. Asks no daemon about the mount's root. */
  cloneTree(path: string): number;
  attachTree(tree: number, target: string): void;
  /** Makes a detached tree read-only. Returns false before Linux 5.12, which cannot. */
  setReadOnly(tree: number): boolean;
  /** Makes an attached mount read-only and keeps its other flags. */
  remountReadOnly(target: string): void;
  close(descriptor: number): void;
  /** Makes a directory the root of the calling thread's mount namespace and detaches the old root. */
  pivotInto(root: string): void;
}

/** A failed system call; the message says what it was for. `code` is the name of the errno. */
export class LinuxError extends Error {
  readonly code: string;
  constructor(operation: string, errno: string) {
    super(`${operation}: ${errno}`);
    this.code = errno;
  }
}

/** A bind remount replaces all flags, so those of the mount are repeated. */
const flagsOfOptions: Readonly<Record<string, number>> = { nosuid: MS_NOSUID, nodev: MS_NODEV, noexec: MS_NOEXEC };

type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: { readonly errno: string } };

function check<T>(operation: string, attempt: Attempt<T>): T {
  if (!attempt.ok) throw new LinuxError(operation, attempt.failure.errno);
  return attempt.value;
}

/**
 * Gives the calling thread a root and a working directory of its own, which setns requires. From then on
 * only synchronous `fs` calls of this thread see its namespaces; the thread pool stays in those of the process.
 */
export function loadLinux(): Linux {
  const sys = loadSyscalls();
  const unshareFs = (): void => check('unshare CLONE_FS', sys.unshare(CLONE_FS));
  const open = (path: string, flags = 0): number => check(`open ${path}`, sys.open(path, flags));
  const enter = (descriptor: number, kind: number): void => {
    // koffi starts a thread for an asynchronous call, and that thread shares root and working directory with this one.
    if (kind === CLONE_NEWNS) unshareFs();
    check('setns', sys.setns(descriptor, kind));
  };
  const changeDirectory = (path: string): void => {
    const directory = open(path, O_PATH);
    check(`chdir ${path}`, sys.fchdir(directory));
    sys.close(directory);
  };

  unshareFs();
  const homeMounts = open('/proc/thread-self/ns/mnt');
  const homePids = open('/proc/thread-self/ns/pid');
  const returnHome = (): void => {
    enter(homeMounts, CLONE_NEWNS);
    enter(homePids, CLONE_NEWPID);
  };

  return {
    inNewNamespaces(namespaces, work) {
      check('unshare', sys.unshare(namespaces.reduce((flags, kind) => flags | namespaceFlags[kind], 0)));
      try {
        return work();
      } finally {
        returnHome();
      }
    },
    inNamespacesOf(pid, namespaces, work) {
      const descriptors = namespaces.map((name) => ({
        descriptor: open(`/proc/${pid}/ns/${name}`),
        kind: namespaceFlags[name],
      }));
      try {
        for (const { descriptor, kind } of descriptors) enter(descriptor, kind);
        return work();
      } finally {
        for (const { descriptor } of descriptors) sys.close(descriptor);
        returnHome();
      }
    },
    mount: (source, target, fstype, flags, data) =>
      check(
        `mount ${source ?? ''} on ${target}`,
        sys.mount({ source, target, fstype, flags, ...(data === undefined ? {} : { data }) }),
      ),
    umount: (target, flags) => check(`umount ${target}`, sys.umount(target, flags)),
    cloneTree(path) {
      const directory = open(path, O_PATH);
      try {
        return check(`open_tree ${path}`, sys.cloneTree(directory, true));
      } finally {
        sys.close(directory);
      }
    },
    attachTree: (tree, target) => check(`move_mount on ${target}`, sys.moveMount(tree, { at: AT_FDCWD, path: target })),
    setReadOnly(tree) {
      const readOnly = { set: MOUNT_ATTR_RDONLY, clear: 0, private: false, recursive: true } as const;
      const attempt = sys.setAttributes(tree, readOnly);
      if (!attempt.ok && attempt.failure.errno === 'ENOSYS') return false;
      check('mount_setattr', attempt);
      return true;
    },
    remountReadOnly(target) {
      const mount = parseMountinfo(readFileSync('/proc/thread-self/mountinfo', 'utf8')).findLast(
        ({ mountPoint }) => mountPoint === target,
      );
      const kept = (mount?.options ?? []).reduce((flags, option) => flags | (flagsOfOptions[option] ?? 0), 0);
      const flags = MS_REMOUNT | MS_BIND | MS_RDONLY | kept;
      check(`remount ${target}`, sys.mount({ source: null, target, fstype: null, flags }));
    },
    close: (descriptor) => sys.close(descriptor),
    pivotInto(root) {
      changeDirectory(root);
      check(`pivot_root ${root}`, sys.pivotRoot('.', '.'));
      check('umount of the old root', sys.umount('.', MNT_DETACH));
      changeDirectory('/');
    },
  };
}

/** Detaches all mounts at a path and below it, last first. */
export function detachBelow(linux: Pick<Linux, 'umount'>, path: string): void {
  const mounts = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).filter(
    ({ mountPoint }) => mountPoint === path || mountPoint.startsWith(`${path}/`),
  );
  for (const { mountPoint } of mounts.toReversed()) {
    try {
      linux.umount(mountPoint, MNT_DETACH);
    } catch (error) {
      // It was unmounted with one of its peers.
      if (!(error instanceof LinuxError && (error.code === 'EINVAL' || error.code === 'ENOENT'))) throw error;
    }
  }
}
