/**
 * Serves the mount of another FUSE process on its standard input, a descriptor of /dev/fuse whose connection is mounted elsewhere. While
 * that process has no living mount, calls wait. Flags: `--source=DIRECTORY`, and `--access=FILE`, which is created when a call waits.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { open, readdir, stat, statfs } from 'node:fs/promises';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Respond, Stat, Statfs } from '../fuse/fuse-native.ts';
import { RawFuse } from '../fuse/raw-fuse.ts';
import { requiredFlags } from '../required-flags.ts';

const descriptor = 0;
const pollMs = 20;
/** `enum fuse_notify_code`: the kernel sends the requests again that an earlier process has read and not answered. */
const notifyResend = 7;

const flags = requiredFlags(process.argv.slice(2), ['source']);
if (typeof flags === 'string') throw new Error(flags);
const { source } = flags;
const [access] = process.argv.flatMap((argument) => /^--access=(.+)$/.exec(argument)?.[1] ?? []);
const isDead: ReadonlySet<string | undefined> = new Set(['ENOTCONN', 'ECONNABORTED']);

/** The device of the other process's mount. @throws if there is none, or a dead one */
async function mountedDevice(): Promise<number> {
  const [mounted, parent] = await Promise.all([stat(source), stat(dirname(source))]);
  if (mounted.dev === parent.dev) throw new Error('nothing is mounted');
  return mounted.dev;
}

type FileOperation<T> = () => Promise<readonly [status: number, value?: T]>;

/** Responds with the outcome of an operation during which the same mount was there. */
function whileMounted<T>(respond: (status: number, value?: T) => void, operation: FileOperation<T>) {
  void (async () => {
    for (; ; await delay(pollMs)) {
      const outcome = await attempt(operation);
      if (outcome !== undefined) return respond(...outcome);
      if (access !== undefined) closeSync(openSync(access, 'w'));
    }
  })();
}

/** Undefined if the mount was not there all the time. */
async function attempt<T>(operation: FileOperation<T>): Promise<readonly [status: number, value?: T] | undefined> {
  try {
    const before = await mountedDevice();
    const outcome = await operation().catch((error: NodeJS.ErrnoException): readonly [number] => {
      if (isDead.has(error.code)) throw error;
      return [-Math.abs(error.errno ?? constants.errno.EIO)];
    });
    return (await mountedDevice()) === before ? outcome : undefined;
  } catch {
    return undefined;
  }
}

const served = {
  getattr: (path: string, respond: Respond<[Stat]>) =>
    whileMounted(respond, async () => {
      const found = await stat(source + path);
      // Directories of s3fs without an object have a time before 1970.
      const [atime, mtime, ctime] = [found.atimeMs, found.mtimeMs, found.ctimeMs];
      return [0, { ...found, atime: Math.max(0, atime), mtime: Math.max(0, mtime), ctime: Math.max(0, ctime) }];
    }),
  readdir: (path: string, respond: Respond<[readonly string[]]>) =>
    whileMounted(respond, async () => [0, ['.', '..', ...(await readdir(source + path))]]),
  statfs: (_path: string, respond: Respond<[Statfs]>) =>
    whileMounted(respond, async () => {
      const found = await statfs(source);
      return [0, { ...found, frsize: found.bsize, favail: found.ffree, fsid: 0, flag: 0, namemax: 255 }];
    }),
  open: (path: string, _flags: number, respond: Respond<[number]>) =>
    whileMounted(respond, async () => {
      await (await open(source + path)).close();
      return [0, 0];
    }),
  read: (path: string, _handle: number, into: Buffer, length: number, offset: number, respond: Respond) =>
    whileMounted(respond, async () => {
      await using file = await open(source + path);
      return [(await file.read(into, 0, length, offset)).bytesRead];
    }),
};

const resend = Buffer.alloc(16);
resend.writeUInt32LE(resend.length, 0);
resend.writeInt32LE(notifyResend, 4);
writeSync(descriptor, resend);
new RawFuse('', served, {
  timeout: false,
  allowOther: true,
  fsname: '',
  subtype: '',
  taken: descriptor,
  mountFuse: () => undefined,
  emit: () => {},
}).mount(() => {});
