import type { DeviceId, Failure } from '../../engine/model.ts';
import { directoryEntries } from '../directory-entries.ts';
import { type ProberCalls, ReadFailure } from './libc.ts';

const O_RDONLY = 0;
const O_NONBLOCK = 0o4000;
const O_PATH = 0o10000000;
const O_NOFOLLOW = 0o400000;

/** How many entries of a directory are tried for a file that can be read. */
const tries = 16;
const dirents = Buffer.alloc(32768);
const oneByte = Buffer.alloc(1);

/** Not about the mount: the entry is no regular file, or was removed while we looked. */
const passedOver = new Set(['EISDIR', 'ELOOP', 'ENOENT', 'ENXIO', 'ENODEV', 'EINVAL']);

/** Proves that a daemon answers: statfs, which no cache serves. Gives the device that answered. */
export function askMount(calls: ProberCalls, path: string): DeviceId {
  const root = calls.open(path, O_PATH, { step: 'read-open', path });
  try {
    calls.statfs(root, { step: 'read-statfs', path });
    return calls.device(root, { step: 'read-device', path });
  } finally {
    calls.close(root);
  }
}

/**
 * Proves that a mount is served, as whoever is asking: statfs, which always asks the daemon, one getdents, and one byte of
 * a regular file where one stands among the first entries. Gives the device that answered.
 *
 * Where there are files and none may be read, that is EACCES: a consumer who can read nothing has not been served.
 */
export function readMount(calls: ProberCalls, path: string): DeviceId {
  const root = calls.open(path, O_RDONLY | O_NONBLOCK, { step: 'read-open', path });
  try {
    calls.statfs(root, { step: 'read-statfs', path });
    const device = calls.device(root, { step: 'read-device', path });
    const used = listing(calls, root, path);
    if (used === undefined) calls.read(root, oneByte, { step: 'read-byte', path });
    else readSomeFile(calls, { root, path, used });
    return device;
  } finally {
    calls.close(root);
  }
}

/** Undefined where the mount is a single file. */
function listing(calls: ProberCalls, root: number, path: string): number | undefined {
  try {
    return calls.getdents(root, dirents, { step: 'read-list', path });
  } catch (error) {
    if (error instanceof ReadFailure && error.failure.errno === 'ENOTDIR') return undefined;
    throw error;
  }
}

function readSomeFile(calls: ProberCalls, { root, path, used }: { root: number; path: string; used: number }): void {
  let left = tries;
  let refused: Failure | undefined;
  for (const { name, kind } of directoryEntries(dirents, used)) {
    if (kind === 'other' || isDots(name)) continue;
    if (left-- === 0) break;
    const file = `${path}/${name.toString('utf8', 0, name.length - 1)}`;
    try {
      const fd = calls.openAt(root, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, { step: 'read-open-file', path: file });
      try {
        // An empty file is served as well as any; another one says more.
        if (calls.read(fd, oneByte, { step: 'read-byte', path: file }) === 1) return;
        refused = undefined;
        left = Math.min(left, 3);
      } finally {
        calls.close(fd);
      }
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error;
      if (error.failure.errno === 'EACCES' || error.failure.errno === 'EPERM') refused ??= error.failure;
      else if (!passedOver.has(error.failure.errno)) throw error;
    }
  }
  if (refused !== undefined) throw new ReadFailure(refused);
}

function isDots(name: Buffer): boolean {
  const text = name.toString('latin1');
  return text === '.\0' || text === '..\0';
}
