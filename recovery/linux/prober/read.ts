import type { Failure } from '../../engine/model.ts';
import type { ReadAnswer } from '../../engine/ports.ts';
import { directoryEntries } from '../libc.ts';
import { O_PATH } from '../syscalls.ts';
import { calls, ReadFailure } from './calls.ts';

const O_RDONLY = 0;
const O_NONBLOCK = 0o4000;
const O_NOFOLLOW = 0o400000;

/** The number of directory entries that are tried in search of a readable file. */
const maxTries = 16;
const dirents = Buffer.alloc(32768);
const oneByte = Buffer.alloc(1);

/** Errors about the entry and not about the mount: it is not a regular file, or was removed meanwhile. */
const entryErrors = new Set(['EISDIR', 'ELOOP', 'ENOENT', 'ENXIO', 'ENODEV', 'EINVAL']);

/** Errors of statfs that are not an answer of the daemon: the kernel's for a connection that cannot be used, and our own. */
const noAnswer = new Set(['ENOTCONN', 'ECONNABORTED', 'ECONNREFUSED', 'ENODATA', 'EINTR', 'ENOMEM']);

/** Proves that a daemon answers, by statfs, which no cache serves. */
export function askMount(path: string): ReadAnswer {
  const root = calls.open(path, O_PATH, { step: 'read-open', path });
  try {
    return askRoot(root, path);
  } finally {
    calls.close(root);
  }
}

function askRoot(root: number, path: string): ReadAnswer {
  const device = calls.device(root, { step: 'read-device', path });
  try {
    return { device, usage: calls.statfs(root, { step: 'read-statfs', path }) };
  } catch (error) {
    // A daemon may not support statfs, and yet it has answered.
    if (error instanceof ReadFailure && !noAnswer.has(error.failure.errno)) return { device };
    throw error;
  }
}

/**
 * Proves that the current user can read a mount: statfs, which always asks the daemon, one getdents batch, and one byte of a
 * regular file if the first entries include one.
 *
 * EACCES if there are files but none is readable: a consumer that can read nothing has not been recovered.
 */
export function readMount(path: string): ReadAnswer {
  const root = calls.open(path, O_RDONLY | O_NONBLOCK, { step: 'read-open', path });
  try {
    const answer = askRoot(root, path);
    const used = listEntries(root, path);
    if (used === undefined) calls.read(root, oneByte, { step: 'read-byte', path });
    else readSomeFile({ root, path, used });
    return answer;
  } finally {
    calls.close(root);
  }
}

/** The number of bytes of entries in `dirents`; undefined if the mount is a single file. */
function listEntries(root: number, path: string): number | undefined {
  try {
    return calls.getdents(root, dirents, { step: 'read-list', path });
  } catch (error) {
    if (error instanceof ReadFailure && error.failure.errno === 'ENOTDIR') return undefined;
    throw error;
  }
}

function readSomeFile({ root, path, used }: { root: number; path: string; used: number }): void {
  let tries = maxTries;
  let refused: Failure | undefined;
  for (const { name, kind } of directoryEntries(dirents, used)) {
    if (kind === 'other' || isDots(name)) continue;
    if (tries-- === 0) break;
    const file = `${path}/${name.toString('utf8', 0, name.length - 1)}`;
    try {
      const fd = calls.openAt(root, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, { step: 'read-open-file', path: file });
      try {
        // An empty file is weak evidence, so a few more are tried.
        if (calls.read(fd, oneByte, { step: 'read-byte', path: file }) === 1) return;
        refused = undefined;
        tries = Math.min(tries, 3);
      } finally {
        calls.close(fd);
      }
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error;
      if (error.failure.errno === 'EACCES' || error.failure.errno === 'EPERM') refused ??= error.failure;
      else if (!entryErrors.has(error.failure.errno)) throw error;
    }
  }
  if (refused !== undefined) throw new ReadFailure(refused);
}

function isDots(name: Buffer): boolean {
  const text = name.toString('latin1');
  return text === '.\0' || text === '..\0';
}
