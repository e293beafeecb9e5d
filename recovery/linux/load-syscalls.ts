import { mkdirSync, readlinkSync, readSync, rmdirSync } from 'node:fs';
import type { DeviceId } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { directoryEntries, lastErrno, libc } from './libc.ts';
import { done, errnoOf, failed, ok } from './result.ts';
import {
  MOUNT_ATTR_IDMAP,
  MS_PRIVATE,
  type NumberedEntry,
  O_CLOEXEC,
  RESOLVE_CACHED,
  type Syscalls,
} from './syscalls.ts';

const AT_EMPTY_PATH = 0x1000;
const AT_NO_AUTOMOUNT = 0x800;
const AT_STATX_DONT_SYNC = 0x4000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const MOVE_MOUNT_BENEATH = 0x200;
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;
const STATX_ATTR_MOUNT_ROOT = 0x2000;
const STATX_MNT_ID_UNIQUE = 0x4000;
const STATMOUNT_MNT_BASIC = 0x2n;
const POLLIN = 0x1;
const POLLPRI = 0x2;
const EPOLL_CTL_ADD = 1;

/** Closes one descriptor at a time, as koffi limits the calls that run at once, and others need threads of the pool, too. */
function closeInTurn(): (fd: number) => void {
  const waiting: number[] = [];
  let isClosing = false;
  const next = (): void => {
    const fd = waiting.shift();
    isClosing = fd !== undefined;
    if (fd !== undefined) libc.close.async(fd, next);
  };
  return (fd) => {
    waiting.push(fd);
    if (!isClosing) next();
  };
}

/** The system calls of this machine. */
export function loadSyscalls(): Syscalls {
  // Every call is synchronous, so one buffer of each shape serves all calls.
  const attributesBuffer = Buffer.alloc(32);
  const howBuffer = Buffer.alloc(24);
  const statxBuffer = Buffer.alloc(256);
  const mountBuffer = Buffer.alloc(24);
  const statmountBuffer = Buffer.alloc(512);
  const listedBuffer = Buffer.alloc(8);
  const pollBuffer = Buffer.alloc(8);
  // Packed to 12 bytes on x86-64 only.
  const epollBuffer = Buffer.alloc(16);
  // Grows to the largest table. A buffer for each of hundreds of tables would keep the garbage collector busy.
  let textBuffer = Buffer.allocUnsafeSlow(65_536);

  function value(returned: number, call: string, path: string): Result<number> {
    const number = Number(returned);
    if (number >= 0) return ok(number);
    return failed({ errno: lastErrno(), call, path, step: '' });
  }
  function nothing(returned: number, call: string, path: string): Result<void> {
    const result = value(returned, call, path);
    return result.ok ? done : result;
  }

  /** A call that Node makes, and whose failures it throws. */
  function attempt<T>(call: string, path: string, run: () => T): Result<T> {
    try {
      return ok(run());
    } catch (error) {
      return failed({ errno: errnoOf(error), call, path, step: '' });
    }
  }

  function pollFor(fd: number, events: number, milliseconds: number): Result<boolean> {
    pollBuffer.writeInt32LE(fd, 0);
    pollBuffer.writeInt16LE(events, 4);
    pollBuffer.writeInt16LE(0, 6);
    const polled = value(libc.poll(pollBuffer, 1, milliseconds), 'poll', '');
    // The kernel reports a closed other end as a hang-up, which is as good as readable. A changed mountinfo has an error beside POLLPRI.
    return polled.ok ? ok((pollBuffer.readInt16LE(6) & (events === POLLIN ? ~0 : events)) !== 0) : polled;
  }

  /** Reads by position, so that the descriptor can be used again. A file of /proc returns at most one page per read. */
  function readText(fd: number, maxBytes = Number.POSITIVE_INFINITY): Result<string> {
    let used = 0;
    try {
      for (;;) {
        if (textBuffer.length - used < 8192) textBuffer = Buffer.concat([textBuffer], textBuffer.length * 2);
        const read = readSync(fd, textBuffer, used, textBuffer.length - used, used);
        if (read === 0) return ok(textBuffer.toString('utf8', 0, used));
        used += read;
        if (used > maxBytes) return failed({ errno: 'EFBIG', call: 'read', path: '', step: '' });
      }
    } catch (error) {
      return failed({ errno: errnoOf(error), call: 'read', path: '', step: '' });
    }
  }

  /** The numbers among the entries that one call returns, and whether it returned any entries. */
  function readBatch(fd: number, size: number): Result<{ readonly isEnd: boolean; readonly found: NumberedEntry[] }> {
    const read = value(libc.getdents64(fd, textBuffer, size), 'getdents64', '');
    if (!read.ok) return read;
    const found: NumberedEntry[] = [];
    for (const { name, inode } of directoryEntries(textBuffer, read.value)) {
      const number = Number(name.toString('latin1', 0, name.length - 1));
      if (Number.isInteger(number)) found.push({ number, inode });
    }
    return ok({ isEnd: read.value === 0, found });
  }

  function readNumbered(fd: number): Result<readonly NumberedEntry[]> {
    const found: NumberedEntry[] = [];
    for (;;) {
      const batch = readBatch(fd, textBuffer.length);
      if (!batch.ok) return batch;
      if (batch.value.isEnd) return ok(found);
      for (const entry of batch.value.found) found.push(entry);
    }
  }

  return {
    open: (path, flags = 0) => value(libc.open(path, flags | O_CLOEXEC, 0), 'open', path),
    openat2({ at, path, flags, resolve }) {
      howBuffer.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
      howBuffer.writeBigUInt64LE(0n, 8);
      howBuffer.writeBigUInt64LE(BigInt(resolve), 16);
      const opened = value(libc.openat2(at, path, howBuffer, howBuffer.length), 'openat2', path);
      if (opened.ok || opened.failure.errno !== 'EINVAL' || (resolve & RESOLVE_CACHED) === 0) return opened;
      // Linux 5.10 and 5.11 do not know RESOLVE_CACHED, so that nothing can be opened from their cache alone.
      return failed({ ...opened.failure, errno: 'EAGAIN' });
    },
    close: (fd) => {
      libc.close(fd);
    },
    closeInPool: closeInTurn(),
    replaceDescriptor: (from, to) => nothing(libc.dup3(from, to, O_CLOEXEC), 'dup3', ''),
    readText,
    readNumbered,
    readSomeNumbered(fd) {
      const batch = readBatch(fd, 8192);
      return batch.ok ? ok(batch.value.found) : batch;
    },
    identify(fd) {
      const flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
      const asked = value(libc.statx(fd, '', flags, 0, statxBuffer), 'statx', '');
      if (!asked.ok) return asked;
      return ok({
        mountId: Number(statxBuffer.readBigUInt64LE(144)),
        device: `${statxBuffer.readUInt32LE(136)}:${statxBuffer.readUInt32LE(140)}` as DeviceId,
        inode: Number(statxBuffer.readBigUInt64LE(32)),
        isMountRoot: (statxBuffer.readUInt32LE(8) & STATX_ATTR_MOUNT_ROOT) !== 0,
      });
    },
    placement(fd) {
      const flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
      const asked = value(libc.statx(fd, '', flags, STATX_MNT_ID_UNIQUE, statxBuffer), 'statx', '');
      if (!asked.ok) return asked;
      if ((statxBuffer.readUInt32LE(0) & STATX_MNT_ID_UNIQUE) === 0)
        return failed({ errno: 'ENOSYS', call: 'statx', path: '', step: '' });
      // `struct mnt_id_req`: size, spare, mount id, and a parameter: the fields wanted, or the id after which the list starts.
      mountBuffer.writeUInt32LE(mountBuffer.length, 0);
      statxBuffer.copy(mountBuffer, 8, 144, 152);
      mountBuffer.writeBigUInt64LE(STATMOUNT_MNT_BASIC, 16);
      const basic = value(libc.statmount(mountBuffer, statmountBuffer, 512, 0), 'statmount', '');
      if (!basic.ok) return basic;
      mountBuffer.writeBigUInt64LE(0n, 16);
      const listed = value(libc.listmount(mountBuffer, listedBuffer, 1, 0), 'listmount', '');
      return listed.ok ? ok({ parentId: statmountBuffer.readUInt32LE(60), carries: listed.value > 0 }) : listed;
    },
    cloneTree(fd, recursive) {
      const flags = OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
      return value(libc.open_tree(fd, '', flags), 'open_tree', '');
    },
    setAttributes(fd, change) {
      const idmap = change.userNamespace === undefined ? 0 : MOUNT_ATTR_IDMAP;
      attributesBuffer.writeBigUInt64LE(BigInt(change.set | idmap), 0);
      attributesBuffer.writeBigUInt64LE(BigInt(change.clear), 8);
      attributesBuffer.writeBigUInt64LE(change.private ? BigInt(MS_PRIVATE) : 0n, 16);
      attributesBuffer.writeBigUInt64LE(BigInt(change.userNamespace ?? 0), 24);
      const flags = AT_EMPTY_PATH | (change.recursive ? AT_RECURSIVE : 0);
      return nothing(libc.mount_setattr(fd, '', flags, attributesBuffer, 32), 'mount_setattr', '');
    },
    moveMount(from, { at, path, beneath = false }) {
      const flags =
        MOVE_MOUNT_F_EMPTY_PATH | (path === '' ? MOVE_MOUNT_T_EMPTY_PATH : 0) | (beneath ? MOVE_MOUNT_BENEATH : 0);
      return nothing(libc.move_mount(from, '', at, path, flags), 'move_mount', path);
    },
    mount: ({ source, target, fstype, flags, data }) =>
      nothing(libc.mount(source, target, fstype, flags, data ?? null), 'mount', target),
    umount: (path, flags) => nothing(libc.umount2(path, flags), 'umount2', path),
    pivotRoot: (newRoot, putOld) => nothing(libc.pivot_root(newRoot, putOld), 'pivot_root', newRoot),
    fsmount(fstype) {
      const context = value(libc.fsopen(fstype, FSOPEN_CLOEXEC), 'fsopen', fstype);
      if (!context.ok) return context;
      try {
        const configured = libc.fsconfig(context.value, FSCONFIG_CMD_CREATE, null, null, 0);
        const created = value(configured, 'fsconfig', fstype);
        return created.ok ? value(libc.fsmount(context.value, FSMOUNT_CLOEXEC, 0), 'fsmount', fstype) : created;
      } finally {
        libc.close(context.value);
      }
    },
    readlink: (path) => attempt('readlink', path, () => readlinkSync(path)),
    mkdir: (path, mode) => attempt('mkdir', path, () => void mkdirSync(path, { mode })),
    rmdir: (path) => attempt('rmdir', path, () => rmdirSync(path)),
    fchdir: (fd) => nothing(libc.fchdir(fd), 'fchdir', ''),
    setns: (fd, nstype) => nothing(libc.setns(fd, nstype), 'setns', ''),
    unshare: (flags) => nothing(libc.unshare(flags), 'unshare', ''),
    pidfdOpen: (pid) => value(libc.pidfd_open(pid, 0), 'pidfd_open', String(pid)),
    pipe() {
      const made = value(libc.pipe2(pollBuffer, O_CLOEXEC), 'pipe2', '');
      return made.ok ? ok([pollBuffer.readInt32LE(0), pollBuffer.readInt32LE(4)]) : made;
    },
    waitReadable: (fd, milliseconds) => pollFor(fd, POLLIN, milliseconds),
    pollPriority: (fd) => pollFor(fd, POLLPRI, 0),
    epollPriority(fd) {
      const epoll = value(libc.epoll_create1(O_CLOEXEC), 'epoll_create1', '');
      if (!epoll.ok) return epoll;
      epollBuffer.writeUInt32LE(POLLPRI, 0);
      const added = nothing(libc.epoll_ctl(epoll.value, EPOLL_CTL_ADD, fd, epollBuffer), 'epoll_ctl', '');
      if (added.ok) return epoll;
      libc.close(epoll.value);
      return added;
    },
  };
}
