import { constants } from 'node:fs';
import type { DeviceId } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';

/**
 * The system calls of the agent. The interface is small so that a modelled kernel can implement it. A failure has errno, call and
 * path; `inStep` adds the step.
 *
 * None of these calls asks a FUSE daemon unless a path leads below the root of its mount (see `Walker`).
 */
export interface Syscalls {
  /** Opens close-on-exec and, without flags, for reading. Only for files of /proc and /sys and for the process's own root. */
  open(path: string, flags?: number): Result<number>;
  /**
   * Asks the daemon if `path` leads below the root of a FUSE mount, unless `resolve` has RESOLVE_CACHED: then EAGAIN if the cache does not
   * know, as before Linux 5.12.
   */
  openat2(how: { at: number; path: string; flags: number; resolve: number }): Result<number>;
  close(fd: number): void;
  /**
   * Closes in a thread of libuv's pool. With the last descriptor of a detached mount its filesystem may end, for which the kernel sometimes
   * takes tens of milliseconds.
   */
  closeInPool(fd: number): void;
  /** Makes a descriptor a copy of another one, in place of the file that it refers to. */
  replaceDescriptor(from: number, to: number): Result<void>;
  /** Reads a file of /proc from its beginning. */
  readText(fd: number, maxBytes?: number): Result<string>;
  /** The directory entries whose names are numbers, in directory order. */
  readNumbered(fd: number): Result<readonly NumberedEntry[]>;
  /** The next few hundred of these entries; none at the end. */
  readSomeNumbered(fd: number): Result<readonly NumberedEntry[]>;
  /** Identifies the mount of a descriptor. Answered by the kernel, so it works on dead and hung mounts. */
  identify(fd: number): Result<Identity>;

  /** The position of a descriptor's mount in the mount tree of the namespace that is being visited. ENOSYS before Linux 6.8. */
  placement(fd: number): Result<Placement>;

  /** Clones the mount of a descriptor, starting at the descriptor's directory. */
  cloneTree(fd: number, recursive: boolean): Result<number>;
  setAttributes(fd: number, attributes: AttributeChange): Result<void>;
  /** Attaches a clone at `path` relative to a descriptor, or on the descriptor itself if `path` is empty. */
  moveMount(from: number, to: { at: number; path: string; beneath?: boolean }): Result<void>;

  /** `mount(2)`. */
  mount(call: {
    source: string | null;
    target: string;
    fstype: string | null;
    flags: number;
    data?: string;
  }): Result<void>;
  umount(path: string, flags: number): Result<void>;
  pivotRoot(newRoot: string, putOld: string): Result<void>;
  /** Creates a detached filesystem instance of `fstype`. */
  fsmount(fstype: string): Result<number>;

  readlink(path: string): Result<string>;
  mkdir(path: string, mode?: number): Result<void>;
  rmdir(path: string): Result<void>;

  fchdir(fd: number): Result<void>;
  /** Enters a namespace. `nstype` is its kind, CLONE_NEWNS and so on. */
  setns(fd: number, nstype: number): Result<void>;
  unshare(flags: number): Result<void>;

  pidfdOpen(pid: number): Result<number>;
  /** Creates a close-on-exec pipe. */
  pipe(): Result<readonly [read: number, write: number]>;
  /** Waits until a descriptor is readable or its other end is closed; false after the given time. */
  waitReadable(fd: number, milliseconds: number): Result<boolean>;
  /** Whether an exceptional condition (POLLPRI) is pending, without waiting. For mountinfo, asking clears the condition. */
  pollPriority(fd: number): Result<boolean>;
  /** Returns a descriptor that becomes readable when another has an exceptional condition. */
  epollPriority(fd: number): Result<number>;
}

/** A directory entry whose name is a number, such as a process in /proc. */
export interface NumberedEntry {
  readonly number: number;
  readonly inode: number;
}

/** `man 2 statx` with an empty mask and AT_STATX_DONT_SYNC. */
export interface Identity {
  /** The id in mountinfo. */
  readonly mountId: number;
  readonly device: DeviceId;
  readonly inode: number;
  readonly isMountRoot: boolean;
}

/** `man 2 statmount`, `man 2 listmount`. */
export interface Placement {
  /** The id in mountinfo. */
  readonly parentId: number;
  /** Whether any mount is inside it or on top of it. */
  readonly carries: boolean;
}

/** `man 2 mount_setattr`. */
export interface AttributeChange {
  readonly set: number;
  readonly clear: number;
  readonly private: boolean;
  readonly recursive: boolean;
  /** Descriptor of the user namespace for MOUNT_ATTR_IDMAP. */
  readonly userNamespace?: number;
}

export const AT_FDCWD = -100;

export const O_WRONLY = 1;
export const O_NONBLOCK = 0o4000;
/** By architecture; Node knows it. */
export const { O_DIRECTORY } = constants;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;

/** `linux/openat2.h` */
export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
export const RESOLVE_BENEATH = 0x08;
export const RESOLVE_IN_ROOT = 0x10;
export const RESOLVE_CACHED = 0x20;

/** `linux/mount.h` */
export const MS_RDONLY = 0x1;
export const MS_NOSUID = 0x2;
export const MS_NODEV = 0x4;
export const MS_NOEXEC = 0x8;
export const MS_REMOUNT = 0x20;
export const MS_NOSYMFOLLOW = 0x100;
export const MS_NOATIME = 0x400;
export const MS_NODIRATIME = 0x800;
export const MS_BIND = 0x1000;
export const MS_REC = 0x4000;
export const MS_UNBINDABLE = 0x20000;
export const MS_PRIVATE = 0x40000;
export const MS_SLAVE = 0x80000;
export const MS_SHARED = 0x100000;
export const MS_RELATIME = 0x200000;
export const MS_STRICTATIME = 0x1000000;
export const MNT_FORCE = 0x1;
export const MNT_DETACH = 0x2;
export const MOUNT_ATTR_RDONLY = 0x1;
export const MOUNT_ATTR_NOSUID = 0x2;
export const MOUNT_ATTR_NODEV = 0x4;
export const MOUNT_ATTR_NOEXEC = 0x8;
export const MOUNT_ATTR_NOATIME = 0x10;
export const MOUNT_ATTR_STRICTATIME = 0x20;
export const MOUNT_ATTR__ATIME = 0x70;
export const MOUNT_ATTR_NODIRATIME = 0x80;
export const MOUNT_ATTR_IDMAP = 0x100000;
export const MOUNT_ATTR_NOSYMFOLLOW = 0x200000;

/** `linux/sched.h` */
export const CLONE_FS = 0x200;
export const CLONE_NEWNS = 0x20000;
export const CLONE_NEWPID = 0x20000000;
