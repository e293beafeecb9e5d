import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Container } from '../engine/model.ts';

/** Processes that /proc shows, lowest pid first. */
export function processIds(proc: string): readonly number[] {
  return readdirSync(proc)
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0)
    .sort((a, b) => a - b);
}

/** `mnt:[4026531841]`; undefined where the process is gone or not ours to look at. */
export function namespaceOf(proc: string, pid: number | 'self', kind: 'mnt' | 'user'): string | undefined {
  try {
    return readlinkSync(`${proc}/${pid}/ns/${kind}`);
  } catch {
    return undefined;
  }
}

/** Start of a process in clock ticks since boot; with the pid it names one process for ever. Undefined where it is gone. */
export function startTime(proc: string, pid: number): string | undefined {
  const stat = read(`${proc}/${pid}/stat`);
  // The name in parentheses may hold anything, spaces and parentheses too.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[19];
}

/** Effective credentials of a process as this process's user namespace shows them. */
export function credentialsOf(proc: string, pid: number): Container['user'] | undefined {
  const status = read(`${proc}/${pid}/status`);
  return status === undefined ? undefined : parseCredentials(status);
}

/** From the text of /proc/PID/status: `Uid:` real, effective, saved, filesystem. */
export function parseCredentials(status: string): Container['user'] | undefined {
  const numbers = (field: string) =>
    new RegExp(`^${field}:[ \\t]*(.*)$`, 'm')
      .exec(status)?.[1]
      ?.split(/\s+/)
      .filter((text) => text !== '')
      .map(Number);
  const uid = numbers('Uid')?.[1];
  const gid = numbers('Gid')?.[1];
  if (uid === undefined || gid === undefined) return undefined;
  return { uid, gid, groups: numbers('Groups') ?? [] };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
