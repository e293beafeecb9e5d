import type { DeviceId, Failure } from '../../engine/model.ts';
import { lastErrno, libc } from '../libc.ts';
import { AT_FDCWD, O_CLOEXEC, RESOLVE_CACHED } from '../syscalls.ts';

/** A failed call and its step. The prober is a small script: the first failure ends the read. */
export class ReadFailure extends Error {
  readonly code = 'READ_FAILURE';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(`${failure.call} ${failure.path}: ${failure.errno}`);
    this.failure = failure;
  }
}

/** The step of the read that a call belongs to, and the path that the call is about. */
export interface CallSite {
  readonly step: string;
  readonly path: string;
}

const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_TYPE = 0x1;
const STATX_SIZE = 0x200;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

const statxBuffer = Buffer.alloc(256);
const statfsBuffer = Buffer.alloc(128);
/** `struct open_how` of `man 2 openat2`. */
const howBuffer = Buffer.alloc(24);

function check(returned: number, call: string, { step, path }: CallSite): number {
  const value = Number(returned);
  if (value < 0) throw new ReadFailure({ errno: lastErrno(), call, path, step });
  return value;
}

/** The system calls of the prober. All but `close` and `getppid` throw `ReadFailure`. They act on the calling thread only. */
export const calls = {
  open: (path: string, flags: number, at: CallSite) =>
    check(libc.openat(AT_FDCWD, Buffer.from(`${path}\0`), flags | O_CLOEXEC, 0), 'open', at),
  /** Opens what the kernel's cache leads to, without asking any daemon. EAGAIN: it does not. EINVAL: Linux 5.10 and 5.11 cannot tell. */
  openCached(path: string, flags: number, at: CallSite): number {
    howBuffer.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
    howBuffer.writeBigUInt64LE(BigInt(RESOLVE_CACHED), 16);
    return check(libc.openat2(AT_FDCWD, path, howBuffer, howBuffer.length), 'openat2', at);
  },
  /** `name` is bytes that end in NUL, because a file name need not be text. */
  openAt: (directory: number, name: Buffer, flags: number, at: CallSite) =>
    check(libc.openat(directory, name, flags | O_CLOEXEC, 0), 'openat', at),
  close: (fd: number) => {
    libc.close(fd);
  },
  read: (fd: number, buffer: Buffer, at: CallSite) => check(libc.read(fd, buffer, buffer.length), 'read', at),
  /** Asks the daemon, which no cache does. Returns whether the answer is all zeros. */
  statfs(fd: number, at: CallSite): boolean {
    check(libc.fstatfs(fd, statfsBuffer), 'fstatfs', at);
    return statfsBuffer.readBigUInt64LE(72) === 0n;
  },
  /**
   * Fails with EACCES if a FUSE mount does not admit this user. The kernel then answers statfs with zeros in the daemon's place, as some
   * daemons do themselves, and refuses attributes, for which it asks no daemon here.
   */
  checkAdmitted(fd: number, at: CallSite): void {
    check(libc.statx(fd, '', AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, statxBuffer), 'statx', at);
  },
  getdents: (fd: number, buffer: Buffer, at: CallSite) =>
    check(libc.getdents64(fd, buffer, buffer.length), 'getdents64', at),
  /** The device that a descriptor refers to. The kernel knows it without the daemon. */
  device(fd: number, at: CallSite): DeviceId {
    check(libc.statx(fd, '', AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, statxBuffer), 'statx', at);
    return `${statxBuffer.readUInt32LE(136)}:${statxBuffer.readUInt32LE(140)}` as DeviceId;
  },
  stat(fd: number, at: CallSite): { readonly isRegularFile: boolean; readonly size: bigint } {
    check(libc.statx(fd, '', AT_EMPTY_PATH, STATX_TYPE | STATX_SIZE, statxBuffer), 'statx', at);
    return {
      isRegularFile: (statxBuffer.readUInt16LE(28) & S_IFMT) === S_IFREG,
      size: statxBuffer.readBigUInt64LE(40),
    };
  },
  setns: (fd: number, nstype: number, at: CallSite) => check(libc.setns(fd, nstype), 'setns', at),
  unshare: (flags: number, at: CallSite) => check(libc.unshare(flags), 'unshare', at),
  fchdir: (fd: number, at: CallSite) => check(libc.fchdir(fd), 'fchdir', at),
  prctl: (option: number, value: number, at: CallSite) => check(libc.prctl(option, value, 0, 0, 0), 'prctl', at),
  getppid: (): number => libc.getppid(),
  setUser: (uid: number, at: CallSite) => check(libc.setresuid(uid, uid, uid), 'setresuid', at),
  setGroup: (gid: number, at: CallSite) => check(libc.setresgid(gid, gid, gid), 'setresgid', at),
  setGroups: (groups: readonly number[], at: CallSite) =>
    check(libc.setgroups(groups.length, Buffer.from(Uint32Array.from(groups).buffer)), 'setgroups', at),
  /** Header and data as in `man 2 capset`, version 3. */
  capget: (header: Buffer, data: Buffer, at: CallSite) => check(libc.capget(header, data), 'capget', at),
  capset: (header: Buffer, data: Buffer, at: CallSite) => check(libc.capset(header, data), 'capset', at),
};
