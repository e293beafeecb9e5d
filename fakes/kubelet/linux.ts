import { constants } from 'node:os';
import koffi from 'koffi';

/** The system calls of a container runtime, and nothing else. x86-64 numbers (`man 2 syscalls`). */
export interface Linux {
  /** Runs `work` in a new mount namespace, and spawns of `work` in a new PID namespace; the calling thread comes back. */
  inNewNamespaces<T>(work: () => T): T;
  /** Runs `work` in the namespaces of a process; spawns of `work` join its PID namespace. */
  inNamespacesOf<T>(pid: number, namespaces: readonly ('mnt' | 'pid')[], work: () => T): T;
  mount(source: string | null, target: string, fstype: string | null, flags: number, data?: string): void;
  umount(target: string, flags: number): void;
  /** A detached clone of what is mounted at a path, as a descriptor; without a walk below the mount's root. */
  cloneTree(path: string): number;
  attachTree(tree: number, target: string): void;
  setReadOnly(tree: number): void;
  close(descriptor: number): void;
  /** Makes a directory the root of the calling thread's mount namespace and lets the old one go. */
  pivotInto(root: string): void;
}

export const mountFlags = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  remount: 32,
  bind: 4096,
  recursive: 16384,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
} as const;

export const detach = 2;

const cloneFs = 0x200;
const newMounts = 0x2_0000;
const newPids = 0x2000_0000;
const closeOnExec = 0o2_000_000;
const currentDirectory = -100;
const emptyPath = 0x1000;
const recursive = 0x8000;

/** A system call that failed, with what it was about. */
export class LinuxError extends Error {
  readonly code: string;
  constructor(call: string, errno: number) {
    const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
    super(`${call}: ${name}`);
    this.code = name;
  }
}

/**
 * Loads libc and gives the calling thread a root and a working directory of its own, which setns asks for. From then on
 * only synchronous `fs` calls of this thread see its namespaces; the thread pool stays in those of the process.
 */
export function loadLinux(): Linux {
  const libc = koffi.load('libc.so.6');
  const call = libc.func('long syscall(long, long, long, long, long, long)');
  const mount = libc.func('int mount(const char*, const char*, const char*, unsigned long, const char*)');
  const umount2 = libc.func('int umount2(const char*, int)');
  const chdir = libc.func('int chdir(const char*)');
  const pivotRoot = libc.func('long syscall(long, const char*, const char*)');
  const atPath = libc.func('long syscall(long, long, const char*, long, const char*, long)');
  const setAttributes = libc.func('long syscall(long, long, const char*, long, void*, long)');

  const check = (what: string, result: number): number => {
    if (Number(result) < 0) throw new LinuxError(what, koffi.errno());
    return Number(result);
  };
  const open = (path: string): number =>
    check(`open ${path}`, atPath(257, currentDirectory, path, closeOnExec, null, 0));
  const close = (descriptor: number): void => {
    call(3, descriptor, 0, 0, 0, 0);
  };
  const enter = (descriptor: number, kind: number): void => {
    // A thread that was started since, as koffi does for a call that waits, shares root and working directory with this one.
    if (kind === newMounts) check('unshare CLONE_FS', call(272, cloneFs, 0, 0, 0, 0));
    check('setns', call(308, descriptor, kind, 0, 0, 0));
  };

  check('unshare CLONE_FS', call(272, cloneFs, 0, 0, 0, 0));
  const homeMounts = open('/proc/thread-self/ns/mnt');
  const homePids = open('/proc/thread-self/ns/pid');
  const comeHome = (): void => {
    enter(homeMounts, newMounts);
    enter(homePids, newPids);
  };

  return {
    inNewNamespaces(work) {
      check('unshare', call(272, newMounts | newPids, 0, 0, 0, 0));
      try {
        return work();
      } finally {
        comeHome();
      }
    },
    inNamespacesOf(pid, namespaces, work) {
      const descriptors = namespaces.map((name) => ({
        descriptor: open(`/proc/${pid}/ns/${name}`),
        kind: name === 'mnt' ? newMounts : newPids,
      }));
      try {
        for (const { descriptor, kind } of descriptors) enter(descriptor, kind);
        return work();
      } finally {
        for (const { descriptor } of descriptors) close(descriptor);
        comeHome();
      }
    },
    mount(source, target, fstype, flags, data) {
      check(`mount ${source ?? ''} on ${target}`, mount(source, target, fstype, flags, data ?? null));
    },
    umount(target, flags) {
      check(`umount ${target}`, umount2(target, flags));
    },
    cloneTree: (path) =>
      check(`open_tree ${path}`, atPath(428, currentDirectory, path, 1 | recursive | closeOnExec, null, 0)),
    attachTree(tree, target) {
      check(`move_mount on ${target}`, atPath(429, tree, '', currentDirectory, target, 4));
    },
    setReadOnly(tree) {
      const attributes = Buffer.alloc(32);
      attributes.writeBigUInt64LE(1n, 0);
      check('mount_setattr', setAttributes(442, tree, '', emptyPath | recursive, attributes, 32));
    },
    close,
    pivotInto(root) {
      check(`chdir ${root}`, chdir(root));
      check(`pivot_root ${root}`, pivotRoot(155, '.', '.'));
      check('umount of the old root', umount2('.', detach));
      check('chdir /', chdir('/'));
    },
  };
}
