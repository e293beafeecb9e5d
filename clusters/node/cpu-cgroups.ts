import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canMakeGroup, parentGroup, removeGroup } from './cgroups.ts';

/** CPU cgroups that can be made here. */
export interface CpuCgroups {
  /** Holds a process and its children to so many thousandths of a core, in the kubelet's periods of 100 ms. Disposed of once they have ended. */
  limit(pid: number, millis: number): AsyncDisposable;
}

/** As the kubelet sets it (`--cpu-cfs-quota-period`). */
const periodUs = 100_000;
const limits = { second: 'cpu.max', first: 'cpu.cfs_quota_us' } as const;

/** `name`: of the groups, made below the one that we are in and removed again. Undefined where none can be made. */
export function cpuCgroups(name: string): CpuCgroups | undefined {
  const parent = parentGroup('cpu');
  if (parent === undefined || !canMakeGroup(join(parent, `${name}-cpu-try`), Object.values(limits))) return undefined;
  let last = 0;
  return {
    limit(pid, millis) {
      const group = join(parent, `${name}-cpu-${++last}`);
      mkdirSync(group);
      const quotaUs = (periodUs * millis) / 1000;
      if (existsSync(join(group, limits.second))) writeFileSync(join(group, limits.second), `${quotaUs} ${periodUs}`);
      else {
        writeFileSync(join(group, 'cpu.cfs_period_us'), String(periodUs));
        writeFileSync(join(group, limits.first), String(quotaUs));
      }
      for (const member of treeOf(pid)) writeFileSync(join(group, 'cgroup.procs'), String(member));
      return { [Symbol.asyncDispose]: () => removeGroup(group) };
    },
  };
}

function treeOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => treeOf(Number(child))))];
}
