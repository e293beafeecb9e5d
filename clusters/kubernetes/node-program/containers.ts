import { readFileSync } from 'node:fs';
import { type ContainerIdentity, containerIdentity } from '../../../recovery/linux/container-identity.ts';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';
import { namespaceOf, processIds, startTime } from '../../../recovery/linux/process.ts';

const proc = '/proc';

/**
 * The container of a pod that runs now. Those who only look into its mount namespace, as the agent's prober does, are not its
 * process 1, which is the first of its PID namespace, or the oldest where it has none of its own.
 */
export function findContainer(wanted: ContainerIdentity): number | undefined {
  const pids = processesOf(wanted);
  return pids.find(isFirst) ?? pids[0];
}

/** Processes in a container's mount namespace, the oldest first. */
export function processesOf(wanted: ContainerIdentity): readonly number[] {
  const node = namespaceOf(proc, 1, 'mnt');
  const namespaces = Map.groupBy(processIds(proc), (pid) => namespaceOf(proc, pid, 'mnt'));
  for (const [namespace, pids] of namespaces)
    if (namespace !== undefined && namespace !== node && pids.some((pid) => isOf(pid, wanted))) return pids;
  return [];
}

function isOf(pid: number, { podUid, name }: ContainerIdentity): boolean {
  const found = containerIdentity(parseMountinfo(read(`${proc}/${pid}/mountinfo`)));
  return found?.podUid === podUid && found.name === name;
}

/** Of a PID namespace below the node's. */
function isFirst(pid: number): boolean {
  return /^NSpid:\s.*\s1$/m.test(read(`${proc}/${pid}/status`));
}

/** When a process was started, on CLOCK_MONOTONIC, to 10 ms; undefined where it is gone. */
export function startedAt(pid: number): number | undefined {
  const ticks = startTime(proc, pid);
  if (ticks === undefined) return undefined;
  const bootSeconds = Number(read('/proc/uptime').split(' ')[0]);
  const agoNs = (bootSeconds - Number(ticks) / 100) * 1e9;
  return Number(process.hrtime.bigint()) - Math.max(0, agoNs);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
