import { readFileSync, readlinkSync } from 'node:fs';
import type { DeviceId } from '../engine/model.ts';
import { processIds } from './processes.ts';
import { O_DIRECTORY, type Syscalls } from './syscalls.ts';

/** The number of a connection. A FUSE filesystem's device has major 0, and its minor is the connection. */
export function connectionOf(device: DeviceId): number | undefined {
  const [major, minor] = device.split(':').map(Number);
  return major === 0 ? minor : undefined;
}

/** Processes that have a connection's /dev/fuse open. The connection lives until the last of them closes it. */
export interface ConnectionHolders {
  readonly pids: readonly number[];
  /** Processes that have some /dev/fuse open, if the kernel does not show of which connection, which Linux does not before 6.16. */
  readonly suspects: readonly number[];
}

export interface DaemonSearch {
  find(device: DeviceId, signal: AbortSignal): Promise<ConnectionHolders>;
}

export interface DaemonSearchOptions {
  /** Mount point of proc: `/proc`. */
  readonly proc: string;
  readonly sys: Pick<Syscalls, 'open' | 'readSomeNumbered' | 'close'>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Resolves after some milliseconds; for 0 in the next turn of the event loop. */
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** Milliseconds of work in one turn of the event loop. */
export const slice = 3;
/** Milliseconds between slices of a thorough search, which may take ten times as long but must not use up the CPU limit. */
const thoroughPause = 27;

interface Search {
  readonly connection: number;
  readonly signal: AbortSignal;
  readonly resolve: (holders: ConnectionHolders) => void;
  readonly pids: number[];
}

/**
 * Searches once for all connections that are asked for at the same time. Daemons open /dev/fuse early, so the lowest descriptors of all
 * processes are read first; a process can have a hundred thousand others, which are read only if a daemon was not found.
 */
export function createDaemonSearch(options: DaemonSearchOptions): DaemonSearch {
  const { proc, sys, now, pause } = options;
  let waiting: Search[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    await pause(0);
    while (waiting.length > 0) {
      const searches = waiting;
      waiting = [];
      const suspects = new Set<number>();
      const mayFind = await searchIn(searches, 'first', suspects);
      const open = searches.filter(({ pids }) => pids.length === 0);
      for (const { pids, resolve } of searches) if (pids.length > 0) resolve({ pids, suspects: [] });
      if (open.length > 0 && mayFind) await searchIn(open, 'rest', suspects);
      for (const { pids, resolve } of open) resolve({ pids, suspects: pids.length === 0 ? [...suspects] : [] });
    }
    isRunning = false;
  }

  /** False if the kernel shows no connection, which Linux does before 6.16, or nobody waits for the result. */
  async function searchIn(
    searches: readonly Search[],
    part: 'first' | 'rest',
    suspects: Set<number>,
  ): Promise<boolean> {
    let since = now();
    let isShown = false;
    for (const pid of processIds(proc)) {
      for (const fd of descriptorsOf(pid, part)) {
        const connection = connectionIn(pid, fd);
        if (connection === 'hidden') suspects.add(pid);
        else if (connection !== undefined) isShown = true;
        for (const each of searches)
          if (each.connection === connection && !each.pids.includes(pid)) each.pids.push(pid);
        if (now() - since < slice) continue;
        await pause(part === 'first' ? 0 : thoroughPause);
        if (searches.every(({ signal }) => signal.aborted)) return false;
        since = now();
      }
    }
    return isShown || suspects.size === 0;
  }

  /** The lowest descriptors of a process, or all others. One at a time, as the kernel needs a second for a hundred thousand. */
  function* descriptorsOf(pid: number, part: 'first' | 'rest'): Generator<number> {
    const directory = sys.open(`${proc}/${pid}/fd`, O_DIRECTORY);
    if (!directory.ok) return;
    try {
      for (let isFirst = true; ; isFirst = false) {
        const entries = sys.readSomeNumbered(directory.value);
        if (!entries.ok || entries.value.length === 0) return;
        if (isFirst === (part === 'first')) yield* entries.value.map(({ number }) => number);
        if (part === 'first') return;
      }
    } finally {
      sys.close(directory.value);
    }
  }

  /**
   * The connection of a descriptor if it is /dev/fuse; `hidden` if it has none or the kernel does not show it. A descriptor that was
   * taken over from a daemon whose mount namespace is gone has a path that begins at the detached mount: `/fuse`, or `/` if the device
   * itself had been bound.
   */
  function connectionIn(pid: number, fd: number): number | 'hidden' | undefined {
    try {
      const path = readlinkSync(`${proc}/${pid}/fd/${fd}`);
      if (path !== '/' && !path.endsWith('/fuse')) return undefined;
      const shown = /^fuse_connection:\s*(\d+)$/m.exec(readFileSync(`${proc}/${pid}/fdinfo/${fd}`, 'latin1'))?.[1];
      if (shown !== undefined) return Number(shown);
      return path === '/' ? undefined : 'hidden';
    } catch {
      return undefined;
    }
  }

  return {
    find(device, signal) {
      const connection = connectionOf(device);
      const { promise, resolve } = Promise.withResolvers<ConnectionHolders>();
      if (connection === undefined) resolve({ pids: [], suspects: [] });
      else {
        waiting.push({ connection, signal, resolve, pids: [] });
        if (!isRunning) void run();
      }
      return promise;
    },
  };
}
