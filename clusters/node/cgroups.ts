import { existsSync, globSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';

/** A controller of cgroups, of version 1 or 2 (`man 7 cgroups`). */
export type Controller = 'cpu' | 'memory';

/** A group is busy for a moment after its last process has ended. */
const patienceMs = 10_000;

/** Version 1: the group that we are in. Version 2: the root, because a group with processes cannot limit its children. */
export function parentGroup(controller: Controller): string | undefined {
  const mounts = parseMountinfo(readFileSync('/proc/thread-self/mountinfo', 'utf8'));
  const first = mounts.find(({ fstype, superOptions }) => fstype === 'cgroup' && superOptions.includes(controller));
  if (first === undefined) return mounts.find(({ fstype }) => fstype === 'cgroup2')?.mountPoint;
  const own = new RegExp(`^\\d+:(?:[^:\\n]*,)?${controller}(?:,[^:\\n]*)?:(.*)$`, 'm').exec(
    readFileSync('/proc/thread-self/cgroup', 'utf8'),
  )?.[1];
  if (own === undefined) return undefined;
  // In a container the hierarchy begins with the container's own group.
  const below = own === first.root || own.startsWith(`${first.root}/`) ? own.slice(first.root.length) : own;
  return join(first.mountPoint, below);
}

/** Whether a group can be made there, and has one of these files: the limit, as version 2 and version 1 call it. */
export function canMakeGroup(group: string, limits: readonly string[]): boolean {
  try {
    mkdirSync(group);
  } catch {
    return false;
  }
  const can = limits.some((name) => existsSync(join(group, name)));
  rmdirSync(group);
  return can;
}

export async function removeGroup(group: string): Promise<void> {
  for (const deadline = performance.now() + patienceMs; ; ) {
    try {
      return rmdirSync(group);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(10);
    }
  }
}

/** Removes the groups that a killed run left, by the run's id in their names; what is left then. */
export async function removeGroupsOf(runId: string): Promise<readonly string[]> {
  const left: string[] = [];
  for (const controller of ['cpu', 'memory'] as const) {
    const parent = parentGroup(controller);
    if (parent === undefined) continue;
    for (const name of globSync(`rekindle-${runId}-*`, { cwd: parent }))
      await removeGroup(join(parent, name)).catch((error: Error) => left.push(`cgroup ${name}: ${error.message}`));
  }
  return left;
}
