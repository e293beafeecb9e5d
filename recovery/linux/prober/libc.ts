import koffi from 'koffi';
import type { DeviceId, Failure } from '../../engine/model.ts';
import { errnoName } from '../errno.ts';

/** A call that failed, in the order of calls. The prober is a small script: here the first failure ends the read. */
export class ReadFailure extends Error {
  readonly code = 'READ_FAILURE';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(`${failure.call} ${failure.path}: ${failure.errno}`);
    this.failure = failure;
  }
}

export interface Position {
  readonly step: string;
  readonly path: string;
}

const SYS = {
  getdents64: 217,
  setresuid: 117,
  setresgid: 119,
  setgroups: 116,
  capset: 126,
  capget: 125,
} as const;

const O_CLOEXEC = 0o2000000;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;

/** The calls of the prober; each but the reading ones throws `ReadFailure`. */
export type ProberCalls = ReturnType<typeof loadProberCalls>;

/**
 * Credentials are changed by the raw calls, for the one thread that reads: the C library's would change every thread of
 * the process.
 */
export function loadProberCalls() {
  const libc = koffi.load('libc.so.6');
  const openat = libc.func('int openat(int at, const void *path, int flags, int mode)');
  const close = libc.func('int close(int fd)');
  const read = libc.func('long read(int fd, void *buffer, size_t size)');
  const fstatfs = libc.func('int fstatfs(int fd, void *buffer)');
  const statx = libc.func('int statx(int at, const char *path, int flags, uint mask, void *buffer)');
  const setns = libc.func('int setns(int fd, int nstype)');
  const unshare = libc.func('int unshare(int flags)');
  const prctl = libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)');
  const fchdir = libc.func('int fchdir(int fd)');
  const getppid = libc.func('int getppid()');
  const getdents = libc.func('long syscall(long number, int fd, void *buffer, size_t size)');
  const setThree = libc.func('long syscall(long number, uint a, uint b, uint c)');
  const setGroups = libc.func('long syscall(long number, size_t count, const void *groups)');
  const capabilities = libc.func('long syscall(long number, void *header, void *data)');
  const statxBuffer = Buffer.alloc(256);
  const statfsBuffer = Buffer.alloc(128);

  function check(returned: number | bigint, call: string, { step, path }: Position): number {
    const value = Number(returned);
    if (value < 0) throw new ReadFailure({ errno: errnoName(koffi.errno()), call, path, step });
    return value;
  }

  return {
    open: (path: string, flags: number, at: Position) =>
      check(openat(AT_FDCWD, Buffer.from(`${path}\0`), flags | O_CLOEXEC, 0), 'open', at),
    /** `name` ends in NUL; it is bytes, because names in a directory are. */
    openAt: (directory: number, name: Buffer, flags: number, at: Position) =>
      check(openat(directory, name, flags | O_CLOEXEC, 0), 'openat', at),
    close: (fd: number) => {
      close(fd);
    },
    read: (fd: number, buffer: Buffer, at: Position) => check(read(fd, buffer, buffer.length), 'read', at),
    statfs: (fd: number, at: Position) => check(fstatfs(fd, statfsBuffer), 'fstatfs', at),
    getdents: (fd: number, buffer: Buffer, at: Position) =>
      check(getdents(SYS.getdents64, fd, buffer, buffer.length), 'getdents64', at),
    /** The device of what a descriptor stands for; known without asking. */
    device(fd: number, at: Position): DeviceId {
      check(statx(fd, '', AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, statxBuffer), 'statx', at);
      return `${statxBuffer.readUInt32LE(136)}:${statxBuffer.readUInt32LE(140)}` as DeviceId;
    },
    setns: (fd: number, nstype: number, at: Position) => check(setns(fd, nstype), 'setns', at),
    unshare: (flags: number, at: Position) => check(unshare(flags), 'unshare', at),
    fchdir: (fd: number, at: Position) => check(fchdir(fd), 'fchdir', at),
    prctl: (option: number, value: number, at: Position) => check(prctl(option, value, 0, 0, 0), 'prctl', at),
    getppid: (): number => getppid(),
    setUser: (uid: number, at: Position) => check(setThree(SYS.setresuid, uid, uid, uid), 'setresuid', at),
    setGroup: (gid: number, at: Position) => check(setThree(SYS.setresgid, gid, gid, gid), 'setresgid', at),
    setGroups(groups: readonly number[], at: Position) {
      const list = Buffer.from(Uint32Array.from(groups).buffer);
      return check(setGroups(SYS.setgroups, groups.length, list), 'setgroups', at);
    },
    /** Header and data as in `man 2 capset`, version 3. */
    capget: (header: Buffer, data: Buffer, at: Position) => check(capabilities(SYS.capget, header, data), 'capget', at),
    capset: (header: Buffer, data: Buffer, at: Position) => check(capabilities(SYS.capset, header, data), 'capset', at),
  };
}
