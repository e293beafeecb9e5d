import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DeviceId } from '../engine/model.ts';
import { processIds } from './process.ts';

/** How long the event loop is held up at most while processes are looked at, in milliseconds. */
const slice = 3;

/**
 * The processes that hold a connection's end of /dev/fuse, as their fdinfo shows it; none where the kernel does not show
 * it. The connection lives until the last of them has closed it.
 */
export async function findDaemons(proc: string, device: DeviceId, signal: AbortSignal): Promise<readonly number[]> {
  const connection = connectionOf(device);
  if (connection === undefined) return [];
  const found: number[] = [];
  let since = performance.now();
  for (const pid of processIds(proc)) {
    if (holds(proc, pid, connection)) found.push(pid);
    if (performance.now() - since < slice) continue;
    await nextTurn();
    if (signal.aborted) return [];
    since = performance.now();
  }
  return found;
}

/** The number of a connection: of a FUSE filesystem's device the major is 0 and the minor is the connection. */
export function connectionOf(device: DeviceId): number | undefined {
  const [major, minor] = device.split(':').map(Number);
  return major === 0 ? minor : undefined;
}

function holds(proc: string, pid: number, connection: number): boolean {
  try {
    return readdirSync(`${proc}/${pid}/fd`).some((fd) => {
      if (readlinkSync(`${proc}/${pid}/fd/${fd}`) !== '/dev/fuse') return false;
      return shownConnection(readFileSync(`${proc}/${pid}/fdinfo/${fd}`, 'latin1')) === connection;
    });
  } catch {
    return false;
  }
}

/** From the text of /proc/PID/fdinfo/N. */
export function shownConnection(fdinfo: string): number | undefined {
  const shown = /^fuse_connection:\s*(\d+)$/m.exec(fdinfo)?.[1];
  return shown === undefined ? undefined : Number(shown);
}
