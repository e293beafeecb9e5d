import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseMountinfo } from '../../recovery/kernel/mountinfo.ts';

/** Memory cgroups that can be made here, of version 1 or 2 (`man 7 cgroups`). */
export interface MemoryCgroups {
  /**
   * Puts a process under a limit and lets another one in the same group use more than that, until the kernel's OOM killer has
   * chosen: the largest, which the process has to be. Resolves with the time at which memory began to run out.
   */
  outOfMemory(pid: number, exited: Promise<unknown>): Promise<number>;
}

/** Less than any daemon of ours uses by itself, so that what eats the rest is always the smaller one. */
const limitBytes = 16 << 20;
const patienceMs = 10_000;

/** `name`: of the groups, made below the one that we are in and removed again. Undefined where none can be made. */
export function memoryCgroups(name: string, environment: Readonly<Record<string, string>>): MemoryCgroups | undefined {
  const parent = parentGroup();
  if (parent === undefined || !canMake(join(parent, `${name}-try`))) return undefined;
  let last = 0;
  return {
    async outOfMemory(pid, exited) {
      const group = join(parent, `${name}-${++last}`);
      mkdirSync(group);
      try {
        writeFileSync(limitFile(group), String(limitBytes));
        if (existsSync(join(group, 'memory.swap.max'))) writeFileSync(join(group, 'memory.swap.max'), '0');
        writeFileSync(join(group, 'cgroup.procs'), String(pid));
        const at = Number(process.hrtime.bigint());
        const eater = spawn('sh', ['-c', 'echo 0 > "$0/cgroup.procs" && exec tail /dev/zero', group], {
          env: { ...environment },
          stdio: 'ignore',
        });
        const eaten = new Promise((resolve) => eater.on('close', resolve).on('error', resolve));
        await Promise.race([exited, delay(patienceMs)]);
        eater.kill('SIGKILL');
        await eaten;
        if (oomKills(group) === 0) throw new Error(`the OOM killer was not called in ${group}`);
        return at;
      } finally {
        await remove(group);
      }
    },
  };
}

/** Version 1: the group that we are in. Version 2: the root, because a group with processes cannot limit its children. */
function parentGroup(): string | undefined {
  const mounts = parseMountinfo(readFileSync('/proc/thread-self/mountinfo', 'utf8'));
  const first = mounts.find(({ fstype, superOptions }) => fstype === 'cgroup' && superOptions.includes('memory'));
  if (first === undefined) return mounts.find(({ fstype }) => fstype === 'cgroup2')?.mountPoint;
  const own = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(.*)$/m.exec(
    readFileSync('/proc/thread-self/cgroup', 'utf8'),
  )?.[1];
  return own === undefined ? undefined : join(first.mountPoint, own);
}

function canMake(group: string): boolean {
  try {
    mkdirSync(group);
  } catch {
    return false;
  }
  const can = existsSync(limitFile(group));
  rmdirSync(group);
  return can;
}

function limitFile(group: string): string {
  const second = join(group, 'memory.max');
  return existsSync(second) ? second : join(group, 'memory.limit_in_bytes');
}

/** How often the OOM killer has killed in the group. */
function oomKills(group: string): number {
  const second = join(group, 'memory.events');
  const text = readFileSync(existsSync(second) ? second : join(group, 'memory.oom_control'), 'utf8');
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** A group is busy for a moment after its last process has ended. */
async function remove(group: string): Promise<void> {
  for (const deadline = performance.now() + patienceMs; ; ) {
    try {
      return rmdirSync(group);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(10);
    }
  }
}
