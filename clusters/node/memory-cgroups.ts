import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { canMakeGroup, parentGroup, removeGroup } from './cgroups.ts';

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
const limits = ['memory.max', 'memory.limit_in_bytes'];

/** `name`: of the groups, made below the one that we are in and removed again. Undefined where none can be made. */
export function memoryCgroups(name: string, environment: Readonly<Record<string, string>>): MemoryCgroups | undefined {
  const parent = parentGroup('memory');
  if (parent === undefined || !canMakeGroup(join(parent, `${name}-try`), limits)) return undefined;
  let last = 0;
  return {
    async outOfMemory(pid, exited) {
      const group = join(parent, `${name}-${++last}`);
      mkdirSync(group);
      try {
        writeFileSync(limitFile(group), String(limitBytes));
        if (existsSync(join(group, 'memory.swap.max'))) writeFileSync(join(group, 'memory.swap.max'), '0');
        const at = Number(process.hrtime.bigint());
        writeFileSync(join(group, 'cgroup.procs'), String(pid));
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
        await removeGroup(group);
      }
    },
  };
}

function limitFile(group: string): string {
  return limits.map((name) => join(group, name)).find(existsSync) ?? '';
}

/** How often the OOM killer has killed in the group. */
function oomKills(group: string): number {
  const second = join(group, 'memory.events');
  const text = readFileSync(existsSync(second) ? second : join(group, 'memory.oom_control'), 'utf8');
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}
