import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeviceId } from '../../../recovery/engine/model.ts';
import { createDaemonSearch } from '../../../recovery/linux/daemon-search.ts';
import { podOf } from '../../../recovery/linux/kubelet.ts';
import { loadSyscalls } from '../../../recovery/linux/load-syscalls.ts';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';
import { namespaceOf } from '../../../recovery/linux/processes.ts';

/** The processes that serve a FUSE connection: all of one container, or of the node itself. */
export interface ServingDaemon {
  readonly pids: readonly number[];
  /** Command line of the first, with spaces between its arguments. */
  readonly command: string;
  /** Pod of that container. Absent: a process of the node. */
  readonly podUid?: string;
}

const searchMs = 20_000;

/**
 * Finds who serves a connection. Before Linux 6.16 the kernel does not show which connection a descriptor of /dev/fuse belongs to; then a
 * process counts that has the device mounted in its own namespace. @throws Error if nobody does, or processes of several containers
 */
export async function findServingDaemon(device: DeviceId, proc = '/proc'): Promise<ServingDaemon> {
  const search = createDaemonSearch({
    proc,
    sys: loadSyscalls(),
    now: () => performance.now(),
    pause: (milliseconds) => delay(milliseconds),
  });
  const holders = await search.find(device, AbortSignal.timeout(searchMs));
  const pids =
    holders.pids.length > 0
      ? holders.pids
      : holders.suspects.filter((pid) =>
          parseMountinfo(read(pid, 'mountinfo')).some((mount) => mount.device === device),
        );
  const homes = Map.groupBy(pids, (pid) => namespaceOf(proc, pid, 'mnt'));
  const [first] = pids;
  if (first === undefined) throw new Error(`no process of the node serves the FUSE connection ${device}`);
  if (homes.size > 1) {
    const all = pids.map((pid) => `${pid} (${commandOf(pid)})`).join(', ');
    throw new Error(`processes of several containers hold the FUSE connection ${device}: ${all}`);
  }
  const podUid = podOf(read(first, 'cgroup'));
  return { pids, command: commandOf(first), ...(podUid !== undefined && { podUid }) };

  function read(pid: number, file: string): string {
    try {
      return readFileSync(`${proc}/${pid}/${file}`, 'utf8');
    } catch {
      return '';
    }
  }

  function commandOf(pid: number): string {
    return read(pid, 'cmdline').replaceAll('\0', ' ').trim();
  }
}
