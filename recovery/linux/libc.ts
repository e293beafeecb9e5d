import { readSync } from 'node:fs';
import koffi from 'koffi';
import type { DeviceId } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { directoryEntries } from './directory-entries.ts';
import { errnoName, errnoOf } from './errno.ts';
import { done, failed, ok } from './result.ts';
import { MOUNT_ATTR_IDMAP, MS_PRIVATE, type NumberedEntry, O_CLOEXEC, type Syscalls } from './syscalls.ts';

/** Numbers of calls that a C library may lack; the same on every architecture from 424 on, and two of x86-64. */
const SYS = {
  pivot_root: 155,
  getdents64: 217,
  open_tree: 428,
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  pidfd_open: 434,
  openat2: 437,
  mount_setattr: 442,
  statmount: 457,
  listmount: 458,
} as const;

const AT_EMPTY_PATH = 0x1000;
const AT_NO_AUTOMOUNT = 0x800;
const AT_STATX_DONT_SYNC = 0x4000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const MOVE_MOUNT_BENEATH = 0x200;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;
const STATX_ATTR_MOUNT_ROOT = 0x2000;
const STATX_MNT_ID_UNIQUE = 0x4000;
const STATMOUNT_MNT_BASIC = 0x2n;
const POLLIN = 0x1;
const POLLPRI = 0x2;
const EPOLL_CTL_ADD = 1;

/** The system calls of this machine, through libc.so.6. */
export function loadSyscalls(): Syscalls {
  const libc = koffi.load('libc.so.6');
  const open = libc.func('int open(const char *path, int flags, int mode)');
  const close = libc.func('int close(int fd)');
  const statx = libc.func('int statx(int at, const char *path, int flags, uint mask, void *buffer)');
  const mount = libc.func(
    'int mount(const char *source, const char *target, const char *fstype, ulong flags, const char *data)',
  );
  const umount2 = libc.func('int umount2(const char *target, int flags)');
  const fchdir = libc.func('int fchdir(int fd)');
  const setns = libc.func('int setns(int fd, int nstype)');
  const unshare = libc.func('int unshare(int flags)');
  const poll = libc.func('int poll(void *fds, ulong count, int timeout)');
  const pipe2 = libc.func('int pipe2(void *ends, int flags)');
  const epollCreate = libc.func('int epoll_create1(int flags)');
  const epollCtl = libc.func('int epoll_ctl(int epoll, int operation, int fd, void *event)');
  const openTree = libc.func('long syscall(long number, int at, const char *path, uint flags)');
  const moveMount = libc.func(
    'long syscall(long number, int from, const char *fromPath, int to, const char *toPath, uint flags)',
  );
  const mountSetattr = libc.func(
    'long syscall(long number, int fd, const char *path, uint flags, void *attributes, size_t size)',
  );
  const openat2 = libc.func('long syscall(long number, int at, const char *path, void *how, size_t size)');
  const pidfdOpen = libc.func('long syscall(long number, int pid, uint flags)');
  const pivotRoot = libc.func('long syscall(long number, const char *newRoot, const char *putOld)');
  const getdents = libc.func('long syscall(long number, int fd, void *buffer, size_t size)');
  const statmount = libc.func('long syscall(long number, const void *request, void *told, size_t size, uint flags)');
  const listmount = libc.func('long syscall(long number, const void *request, void *ids, size_t count, uint flags)');
  const fsopen = libc.func('long syscall(long number, const char *fstype, uint flags)');
  const fsconfig = libc.func(
    'long syscall(long number, int fd, uint command, const char *key, const char *value, int aux)',
  );
  const fsmount = libc.func('long syscall(long number, int fd, uint flags, uint attributes)');

  // Every call is synchronous, so one buffer of each shape serves them all.
  const attributesBuffer = Buffer.alloc(32);
  const howBuffer = Buffer.alloc(24);
  const statxBuffer = Buffer.alloc(256);
  const mountBuffer = Buffer.alloc(24);
  const statmountBuffer = Buffer.alloc(512);
  const listedBuffer = Buffer.alloc(8);
  const pollBuffer = Buffer.alloc(8);
  const epollBuffer = Buffer.alloc(12);
  // Grows to the largest table: a buffer for each of hundreds would be work for the collector.
  let textBuffer = Buffer.allocUnsafeSlow(65_536);

  function value(returned: number | bigint, call: string, path: string): Result<number> {
    const number = Number(returned);
    if (number >= 0) return ok(number);
    return failed({ errno: errnoName(koffi.errno()), call, path, step: '' });
  }
  function nothing(returned: number | bigint, call: string, path: string): Result<void> {
    const result = value(returned, call, path);
    return result.ok ? done : result;
  }

  function pollFor(fd: number, events: number, milliseconds: number): Result<boolean> {
    pollBuffer.writeInt32LE(fd, 0);
    pollBuffer.writeInt16LE(events, 4);
    pollBuffer.writeInt16LE(0, 6);
    const polled = value(poll(pollBuffer, 1, milliseconds), 'poll', '');
    // A closed other end shows as a hang-up, which is to be read too; a changed mountinfo shows as an error beside POLLPRI.
    return polled.ok ? ok((pollBuffer.readInt16LE(6) & (events === POLLIN ? ~0 : events)) !== 0) : polled;
  }

  /** A file of /proc gives at most a page for each read, and is read by position, so that the descriptor may be used again. */
  function readText(fd: number): Result<string> {
    let used = 0;
    try {
      for (;;) {
        if (textBuffer.length - used < 8192) textBuffer = Buffer.concat([textBuffer], textBuffer.length * 2);
        const read = readSync(fd, textBuffer, used, textBuffer.length - used, used);
        if (read === 0) return ok(textBuffer.toString('utf8', 0, used));
        used += read;
      }
    } catch (error) {
      return failed({ errno: errnoOf(error), call: 'read', path: '', step: '' });
    }
  }

  function readNumbered(fd: number): Result<readonly NumberedEntry[]> {
    const found: NumberedEntry[] = [];
    for (;;) {
      const read = value(getdents(SYS.getdents64, fd, textBuffer, textBuffer.length), 'getdents64', '');
      if (!read.ok) return read;
      if (read.value === 0) return ok(found);
      for (const { name, inode } of directoryEntries(textBuffer, read.value)) {
        const number = Number(name.toString('latin1', 0, name.length - 1));
        if (Number.isInteger(number)) found.push({ number, inode });
      }
    }
  }

  return {
    open: (path, flags = 0) => value(open(path, flags | O_CLOEXEC, 0), 'open', path),
    openat2({ at, path, flags, resolve }) {
      howBuffer.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
      howBuffer.writeBigUInt64LE(0n, 8);
      howBuffer.writeBigUInt64LE(BigInt(resolve), 16);
      return value(openat2(SYS.openat2, at, path, howBuffer, howBuffer.length), 'openat2', path);
    },
    close: (fd) => {
      close(fd);
    },
    readText,
    readNumbered,
    identify(fd) {
      const asked = value(
        statx(fd, '', AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, statxBuffer),
        'statx',
        '',
      );
      if (!asked.ok) return asked;
      return ok({
        mountId: Number(statxBuffer.readBigUInt64LE(144)),
        device: `${statxBuffer.readUInt32LE(136)}:${statxBuffer.readUInt32LE(140)}` as DeviceId,
        isMountRoot: (statxBuffer.readUInt32LE(8) & STATX_ATTR_MOUNT_ROOT) !== 0,
      });
    },
    placement(fd) {
      const flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
      const asked = value(statx(fd, '', flags, STATX_MNT_ID_UNIQUE, statxBuffer), 'statx', '');
      if (!asked.ok) return asked;
      if ((statxBuffer.readUInt32LE(0) & STATX_MNT_ID_UNIQUE) === 0)
        return failed({ errno: 'ENOSYS', call: 'statx', path: '', step: '' });
      // `struct mnt_id_req`: size, spare, id, and what is asked or the id to begin after.
      mountBuffer.writeUInt32LE(mountBuffer.length, 0);
      statxBuffer.copy(mountBuffer, 8, 144, 152);
      mountBuffer.writeBigUInt64LE(STATMOUNT_MNT_BASIC, 16);
      const told = value(statmount(SYS.statmount, mountBuffer, statmountBuffer, 512, 0), 'statmount', '');
      if (!told.ok) return told;
      mountBuffer.writeBigUInt64LE(0n, 16);
      const listed = value(listmount(SYS.listmount, mountBuffer, listedBuffer, 1, 0), 'listmount', '');
      return listed.ok ? ok({ parentId: statmountBuffer.readUInt32LE(60), carries: listed.value > 0 }) : listed;
    },
    cloneTree(fd, recursive) {
      const flags = OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
      return value(openTree(SYS.open_tree, fd, '', flags), 'open_tree', '');
    },
    setAttributes(fd, change) {
      const idmap = change.userNamespace === undefined ? 0 : MOUNT_ATTR_IDMAP;
      attributesBuffer.writeBigUInt64LE(BigInt(change.set | idmap), 0);
      attributesBuffer.writeBigUInt64LE(BigInt(change.clear), 8);
      attributesBuffer.writeBigUInt64LE(change.private ? BigInt(MS_PRIVATE) : 0n, 16);
      attributesBuffer.writeBigUInt64LE(BigInt(change.userNamespace ?? 0), 24);
      const flags = AT_EMPTY_PATH | (change.recursive ? AT_RECURSIVE : 0);
      return nothing(mountSetattr(SYS.mount_setattr, fd, '', flags, attributesBuffer, 32), 'mount_setattr', '');
    },
    moveMount(from, { at, path, beneath = false }) {
      const flags =
        MOVE_MOUNT_F_EMPTY_PATH | (path === '' ? MOVE_MOUNT_T_EMPTY_PATH : 0) | (beneath ? MOVE_MOUNT_BENEATH : 0);
      return nothing(moveMount(SYS.move_mount, from, '', at, path, flags), 'move_mount', path);
    },
    mount: ({ source, target, fstype, flags, data }) =>
      nothing(mount(source, target, fstype, flags, data ?? null), 'mount', target),
    umount: (path, flags) => nothing(umount2(path, flags), 'umount2', path),
    pivotRoot: (newRoot, putOld) => nothing(pivotRoot(SYS.pivot_root, newRoot, putOld), 'pivot_root', newRoot),
    fsmount(fstype) {
      const context = value(fsopen(SYS.fsopen, fstype, 1), 'fsopen', fstype);
      if (!context.ok) return context;
      try {
        const created = value(
          fsconfig(SYS.fsconfig, context.value, FSCONFIG_CMD_CREATE, null, null, 0),
          'fsconfig',
          fstype,
        );
        if (!created.ok) return created;
        return value(fsmount(SYS.fsmount, context.value, FSMOUNT_CLOEXEC, 0), 'fsmount', fstype);
      } finally {
        close(context.value);
      }
    },
    fchdir: (fd) => nothing(fchdir(fd), 'fchdir', ''),
    setns: (fd, nstype) => nothing(setns(fd, nstype), 'setns', ''),
    unshare: (flags) => nothing(unshare(flags), 'unshare', ''),
    pidfdOpen: (pid) => value(pidfdOpen(SYS.pidfd_open, pid, 0), 'pidfd_open', String(pid)),
    pipe() {
      const made = value(pipe2(pollBuffer, O_CLOEXEC), 'pipe2', '');
      return made.ok ? ok([pollBuffer.readInt32LE(0), pollBuffer.readInt32LE(4)]) : made;
    },
    waitReadable: (fd, milliseconds) => pollFor(fd, POLLIN, milliseconds),
    pollPriority: (fd) => pollFor(fd, POLLPRI, 0),
    epollPriority(fd) {
      const epoll = value(epollCreate(O_CLOEXEC), 'epoll_create1', '');
      if (!epoll.ok) return epoll;
      epollBuffer.writeUInt32LE(POLLPRI, 0);
      const added = nothing(epollCtl(epoll.value, EPOLL_CTL_ADD, fd, epollBuffer), 'epoll_ctl', '');
      if (added.ok) return epoll;
      close(epoll.value);
      return added;
    },
  };
}
