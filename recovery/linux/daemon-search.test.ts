import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DeviceId } from '../engine/model.ts';
import { createDaemonSearch } from './daemon-search.ts';

const device = (connection: number) => `0:${connection}` as DeviceId;
const { signal } = new AbortController();

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'rekindle-proc-'));
});
afterEach(() => rmSync(proc, { recursive: true }));

/** A process with descriptors of files and, after them of FUSE connections (undefined: one that is not shown) and of more files. */
function addProcess(
  pid: number,
  files: number,
  connections: readonly (number | undefined)[] = [],
  { more = 0, fuse = '/dev/fuse' }: { readonly more?: number; readonly fuse?: string } = {},
): void {
  const path = join(proc, String(pid));
  for (const directory of ['fd', 'fdinfo']) mkdirSync(join(path, directory), { recursive: true });
  const descriptors = [...Array(files).fill('file'), ...connections, ...Array(more).fill('file')];
  for (const [fd, connection] of descriptors.entries()) {
    symlinkSync(connection === 'file' ? '/dev/null' : fuse, join(path, 'fd', String(fd)));
    if (connection === 'file') continue;
    const text = connection === undefined ? 'pos: 0\n' : `fuse_connection:\t${connection}\n`;
    writeFileSync(join(path, 'fdinfo', String(fd)), text);
  }
}

/** Lists descriptors in order and in batches, as the kernel does. Each look at one takes a millisecond of a clock that nothing else advances. */
function search() {
  const pauses: number[] = [];
  const listings: number[][] = [];
  let time = 0;
  const found = createDaemonSearch({
    proc,
    sys: {
      open(path) {
        const numbers = readdirSync(path).map(Number);
        return { ok: true, value: listings.push(numbers.sort((a, b) => a - b)) - 1 };
      },
      readSomeNumbered(fd) {
        const batch = listings[fd]?.splice(0, 100) ?? [];
        return { ok: true, value: batch.map((number) => ({ number, inode: number })) };
      },
      close() {},
    },
    now: () => time++,
    pause: async (milliseconds) => void pauses.push(milliseconds),
  });
  const opened = () => listings.length;
  const holders = (connection: number) => found.find(device(connection), signal);
  return { holders, find: async (connection: number) => (await holders(connection)).pids, pauses, opened };
}

it('finds all processes that hold a connection', async () => {
  addProcess(10, 3, [7]);
  addProcess(20, 3, [8]);
  addProcess(30, 3, [8, 7]);
  expect(await search().find(7)).toEqual([10, 30]);
});

// `readlink` on Linux 6.18 after the mount of the device, or of the tmpfs at /dev, was detached.
it.each(['/', '/fuse'])(
  'finds a daemon that took its descriptor over from a namespace that is gone: %s',
  async (fuse) => {
    addProcess(10, 3, [7], { fuse });
    expect(await search().find(7)).toEqual([10]);
  },
);

it('finds a daemon whose descriptor is one of hundreds', async () => {
  addProcess(10, 150, [7], { more: 150 });
  expect(await search().find(7)).toEqual([10]);
});

it('pauses every few descriptors, and for longer once it reads those of crowded processes', async () => {
  addProcess(10, 300);
  const { find, pauses } = search();
  expect(await find(7)).toEqual([]);
  expect(pauses.length).toBeGreaterThan(300 / 4);
  expect(new Set(pauses)).toEqual(new Set([0, 27]));
});

it('does not read the many descriptors of other processes to find a daemon', async () => {
  addProcess(10, 300);
  addProcess(20, 3, [7]);
  const { find, pauses } = search();
  expect(await find(7)).toEqual([20]);
  expect(pauses).not.toContain(27);
});

it('searches once for all that are asked for together', async () => {
  addProcess(10, 3, [7]);
  addProcess(20, 3, [8]);
  const { find, opened } = search();
  expect(await Promise.all([find(7), find(8)])).toEqual([[10], [20]]);
  expect(opened()).toBe(2);
});

it('does not search in vain if the kernel shows no connections', async () => {
  addProcess(10, 3, [undefined]);
  addProcess(20, 300);
  const { find, pauses } = search();
  expect(await find(7)).toEqual([]);
  expect(pauses).not.toContain(27);
});

it('suspects every process that holds /dev/fuse if the kernel shows no connections', async () => {
  addProcess(10, 3, [undefined]);
  addProcess(20, 3);
  addProcess(30, 3, [undefined, undefined]);
  expect(await search().holders(7)).toEqual({ pids: [], suspects: [10, 30] });
});
