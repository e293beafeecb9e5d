import { constants } from 'node:os';
import { type Behaviour, delayFor } from './behaviour.ts';
import type { EmitEvent } from './event-lines.ts';
import type { FuseOperations, Operation, Stat, Statfs } from './fuse-native.ts';
import { fail, succeed, type TreeResult } from './tree.ts';
import type { Attributes, WrittenTree } from './written-tree.ts';

export interface FuseServerOptions {
  readonly tree: WrittenTree;
  /** Read at each operation. */
  readonly behaviour: () => Behaviour;
  readonly emit: EmitEvent;
  /** Called when the kernel's INIT has been answered. */
  readonly onReady: () => void;
  /** Ends the process as a crash would, with the reason. */
  readonly crash: (reason: string) => void;
}

const handle = 1;
/** S_IFREG, S_IFDIR and S_IFLNK. */
const typeBits = { file: 0o100000, directory: 0o040000, link: 0o120000 };
const blockBytes = 4096;

const statfs: Statfs = {
  bsize: blockBytes,
  frsize: blockBytes,
  blocks: 2 ** 30,
  bfree: 2 ** 29,
  bavail: 2 ** 29,
  files: 2 ** 20,
  ffree: 2 ** 19,
  favail: 2 ** 19,
  fsid: 0,
  flag: 0,
  namemax: 255,
};

/** The operations of the file system, with the given behaviour. */
export function serve({ tree, behaviour, emit, onReady, crash }: FuseServerOptions): FuseOperations {
  let served = 0;

  /** Answers one operation, unless the behaviour delays, fails or drops it. */
  const answer = <T>(
    operation: Operation,
    work: () => Promise<TreeResult<T>>,
    respond: (status: number, value?: T) => void,
  ) => {
    if (served === behaviour().exitAfterOps) return crash(`exitAfterOps: ${served}`);
    served++;
    if (behaviour().hang?.includes(operation)) return emit('hung', { op: operation });
    const run = (): void => {
      const errno = behaviour().errno?.[operation];
      const done: Promise<TreeResult<T>> = errno === undefined ? work() : Promise.resolve(fail(errno));
      done.then(
        (result) => (result.ok ? respond(0, result.value) : respond(-errnoNumber(result.errno))),
        (cause) => {
          emit('broken', { op: operation, message: String(cause) });
          respond(-constants.errno.EIO);
        },
      );
    };
    const delayMs = delayFor(behaviour(), operation);
    if (delayMs > 0) setTimeout(run, delayMs);
    else run();
  };

  const linkAt = (path: string): string | undefined => behaviour().links?.[path.slice(1)];
  const isUnreadable = (path: string): boolean => path === `/${behaviour().unreadable}`;

  return {
    init: (respond) => {
      if (behaviour().hang?.includes('init')) return emit('hung', { op: 'init' });
      const delayMs = behaviour().readyAfterMs ?? delayFor(behaviour(), 'init');
      const respondToInit = (): void => {
        respond(0);
        process.nextTick(onReady);
      };
      if (delayMs > 0) setTimeout(respondToInit, delayMs);
      else respondToInit();
    },
    statfs: (_path, respond) => answer('statfs', async () => ({ ok: true, value: statfs }), respond),
    getattr: (path, respond) =>
      answer(
        'getattr',
        async () => {
          const target = linkAt(path);
          if (target !== undefined) return succeed(toLinkStat(target));
          return isUnreadable(path) ? succeed(unreadableStat) : mapResult(await tree.attributes(path), toStat);
        },
        respond,
      ),
    readdir: (path, respond) =>
      answer(
        'readdir',
        async () => {
          const { links = {}, unreadable } = path === '/' ? behaviour() : {};
          const first = unreadable === undefined ? [] : [unreadable];
          return mapResult(await tree.names(path), (names) => [
            ...['.', '..'],
            ...new Set([...first, ...names, ...Object.keys(links)]),
          ]);
        },
        respond,
      ),
    readlink: (path, respond) =>
      answer(
        'readlink',
        async () => {
          const target = linkAt(path);
          return target === undefined ? fail('EINVAL') : succeed(target);
        },
        respond,
      ),
    open: (path, _flags, respond) =>
      answer(
        'open',
        async () => (isUnreadable(path) ? succeed(handle) : mapResult(await tree.attributes(path), () => handle)),
        respond,
      ),
    read: (path, _handle, into, length, offset, respond) =>
      answer(
        'read',
        async () => {
          if (isUnreadable(path)) return fail('EIO');
          const room = into.subarray(0, length);
          const read = await tree.read(path, room, offset);
          if (read.ok && behaviour().wrongBytes) for (let i = 0; i < read.value; i++) room[i] = (room[i] ?? 0) ^ 0xff;
          return read;
        },
        (status, bytes) => respond(status < 0 ? status : (bytes ?? 0)),
      ),
    create: (path, mode, respond) =>
      answer('create', async () => mapResult(await tree.create(path, mode), () => handle), respond),
    write: (path, _handle, from, length, offset, respond) =>
      answer(
        'write',
        () => tree.write(path, from.subarray(0, length), offset),
        (status) => respond(status < 0 ? status : length),
      ),
    truncate: (path, size, respond) =>
      answer(
        'truncate',
        () => tree.truncate(path, size),
        (status) => respond(status),
      ),
    unlink: (path, respond) =>
      answer(
        'unlink',
        () => tree.unlink(path),
        (status) => respond(status),
      ),
    rename: (from, to, respond) =>
      answer(
        'rename',
        () => tree.rename(from, to),
        (status) => respond(status),
      ),
    mkdir: (path, mode, respond) =>
      answer(
        'mkdir',
        () => tree.mkdir(path, mode),
        (status) => respond(status),
      ),
    rmdir: (path, respond) =>
      answer(
        'rmdir',
        () => tree.rmdir(path),
        (status) => respond(status),
      ),
    chmod: (path, mode, respond) =>
      answer(
        'chmod',
        () => tree.chmod(path, mode),
        (status) => respond(status),
      ),
    chown: (path, uid, gid, respond) =>
      answer(
        'chown',
        () => tree.chown(path, uid, gid),
        (status) => respond(status),
      ),
    utimens: (path, _atime, mtime, respond) =>
      answer(
        'utimens',
        () => tree.utimens(path, mtime),
        (status) => respond(status),
      ),
  };
}

function toStat({ kind, mode, uid, gid, size, modifiedAt }: Attributes): Stat {
  return {
    mode: typeBits[kind] | mode,
    uid,
    gid,
    size,
    nlink: kind === 'directory' ? 2 : 1,
    blksize: blockBytes,
    blocks: Math.ceil(size / 512),
    mtime: modifiedAt,
    atime: modifiedAt,
    ctime: modifiedAt,
  };
}

/** It claims to have content, as an archived object does. */
const unreadableStat = toStat({ kind: 'file', mode: 0o444, uid: 0, gid: 0, size: blockBytes, modifiedAt: 0 });

function toLinkStat(target: string): Stat {
  const attributes = { mode: 0o777, uid: 0, gid: 0, size: Buffer.byteLength(target), modifiedAt: 0 };
  return { ...toStat({ kind: 'file', ...attributes }), mode: typeBits.link | 0o777 };
}

function mapResult<T, U>(answer: TreeResult<T>, change: (value: T) => U): TreeResult<U> {
  return answer.ok ? { ok: true, value: change(answer.value) } : answer;
}

function errnoNumber(errno: string): number {
  return constants.errno[errno as keyof typeof constants.errno] ?? constants.errno.EIO;
}
