import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { meaningOf } from '../../engine/liveness.ts';
import type { DeviceId, Failure } from '../../engine/model.ts';
import type { ReadAnswer } from '../../engine/ports.ts';
import { type DirectoryEntry, directoryEntries } from '../libc.ts';
import { O_PATH } from '../syscalls.ts';
import { calls, ReadFailure } from './calls.ts';

/** By architecture, which is why Node is asked. */
const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

const dirents = Buffer.alloc(32768);
const oneByte = Buffer.alloc(1);

/** How many files of a mount are tried. */
const maxTries = 16;
/** How many more files are tried after one that is empty. It could be opened, but it held nothing to read. */
const triesAfterEmpty = 3;

/** JuiceFS makes these up in the root of each volume. They hold no data, and a read of `.accesslog` waits for the next access. */
const virtualFiles = new Set(['.accesslog', '.config', '.control', '.stats']);

interface MountToProve {
  readonly path: string;
  readonly device: DeviceId;
  /** The prober's own /proc. */
  readonly proc: number;
  /** Whether the path may be looked up by a daemon, which no tenant has put there. */
  readonly mayWait: boolean;
}

/**
 * Opens the mount for reading, but only if it is the expected one. A tenant may have covered it with FUSE since, whose daemon lets the
 * prober wait for ever: the descriptor that is checked asks none, and is then opened itself.
 */
function openRoot({ path, device, proc, mayWait }: MountToProve): number {
  const found = openPath(path, mayWait);
  try {
    if (calls.device(found, { step: 'read-device', path }) !== device)
      throw new ReadFailure({ errno: 'ESTALE', call: 'statx', path, step: 'verify-device' });
    const own = Buffer.from(`thread-self/fd/${found}\0`);
    return calls.openAt(proc, own, O_RDONLY | O_NONBLOCK, { step: 'read-open', path });
  } finally {
    calls.close(found);
  }
}

function openPath(path: string, mayWait: boolean): number {
  const at = { step: 'read-open', path };
  try {
    return calls.openCached(path, O_PATH, at);
  } catch (error) {
    const errno = error instanceof ReadFailure ? error.failure.errno : '';
    if (errno === 'EINVAL' || (errno === 'EAGAIN' && mayWait)) return calls.open(path, O_PATH, at);
    throw error;
  }
}

function askRoot(root: number, path: string): ReadAnswer {
  const device = calls.device(root, { step: 'read-device', path });
  const at = { step: 'read-statfs', path };
  let isZero = false;
  try {
    isZero = calls.statfs(root, at);
  } catch (error) {
    // A daemon may not support statfs, and yet it has answered.
    if (!(error instanceof ReadFailure) || meaningOf(error.failure.errno, 'asks') !== 'answer') throw error;
  }
  if (isZero) calls.checkAdmitted(root, at);
  return { device };
}

/**
 * Proves that the current user can read a mount: statfs, one getdents batch, and one byte of any of several files. Files that cannot be
 * read are passed over and named in the answer: an object in an archive, a file of somebody else, a broken link to another store.
 *
 * An empty directory, or one without regular files, is proven by the listing. If there are files and none of them can be opened,
 * the proof fails with the error of the first.
 */
export function proveMount(mount: MountToProve): ReadAnswer {
  const { path } = mount;
  const root = openRoot(mount);
  try {
    const answer = askRoot(root, path);
    const used = listEntries(root, path);
    if (used === undefined) {
      calls.read(root, oneByte, { step: 'read-byte', path });
      return answer;
    }
    const listed = { ...answer, listing: listingOf(used) };
    const { isProven, unreadable } = readAnyFile({ root, path, used });
    const [first] = unreadable;
    if (first === undefined) return listed;
    if (isProven) return { ...listed, unreadable };
    // Since Linux 6.19 a dead connection may answer reads with EIO, as a damaged file does.
    askRoot(root, path);
    throw new ReadFailure(first);
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

function listingOf(used: number): string {
  const names = Array.from(directoryEntries(dirents, used), ({ name }) => name).sort(Buffer.compare);
  return createHash('sha256').update(Buffer.concat(names)).digest('hex');
}

interface ListedRoot {
  /** The directory that was listed. */
  readonly root: number;
  readonly path: string;
  readonly used: number;
}

function readAnyFile({ root, path, used }: ListedRoot): { readonly isProven: boolean; readonly unreadable: Failure[] } {
  const unreadable: Failure[] = [];
  let isProven = false;
  let tries = maxTries;
  for (const entry of directoryEntries(dirents, used)) {
    const name = entry.name.toString('utf8', 0, entry.name.length - 1);
    if (entry.kind === 'other' || name === '.' || name === '..' || virtualFiles.has(name)) continue;
    if (tries-- === 0) break;
    try {
      const result = readFile(root, entry, `${path}/${name}`);
      if (result === 'byte') return { isProven: true, unreadable };
      if (result === 'other') continue;
      isProven = true;
      tries = Math.min(tries, triesAfterEmpty);
    } catch (error) {
      // Unless the daemon has gone, or this process lacks something, it is about the file.
      if (!(error instanceof ReadFailure) || meaningOf(error.failure.errno, 'reads') !== 'answer') throw error;
      // ENOENT: it was removed after the listing.
      if (error.failure.errno !== 'ENOENT') unreadable.push(error.failure);
    }
  }
  return { isProven, unreadable };
}

/** Reads a byte. A file without a size is only opened, as a read may wait for ever if it is made up; other types are not opened. */
function readFile(root: number, { name, kind }: DirectoryEntry, path: string): 'byte' | 'empty' | 'other' {
  if (kind === 'unknown' && !isRegularFile(root, name, path)) return 'other';
  const fd = calls.openAt(root, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, { step: 'read-open-file', path });
  try {
    if (calls.stat(fd, { step: 'read-size', path }).size === 0n) return 'empty';
    return calls.read(fd, oneByte, { step: 'read-byte', path }) === 1 ? 'byte' : 'empty';
  } finally {
    calls.close(fd);
  }
}

function isRegularFile(root: number, name: Buffer, path: string): boolean {
  const fd = calls.openAt(root, name, O_PATH | O_NOFOLLOW, { step: 'read-type', path });
  try {
    return calls.stat(fd, { step: 'read-type', path }).isRegularFile;
  } finally {
    calls.close(fd);
  }
}
