import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../../recovery/clock.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { processTree } from '../../recovery/linux/processes.ts';
import { poll } from '../poll.ts';

/** The controllers used here, with their limit files in cgroup v2 and v1 (`man 7 cgroups`). */
const limitFiles = {
  cpu: ['cpu.max', 'cpu.cfs_quota_us'],
  memory: ['memory.max', 'memory.limit_in_bytes'],
} as const;

type Controller = keyof typeof limitFiles;

export interface CpuCgroups {
  /**
   * Limits a process and its children to thousandths of a core, in the kubelet's periods of 100 ms. Dispose of the limit
   * once they have ended.
   */
  limit(pid: number, millis: number): AsyncDisposable;
}

/** The kubelet's default (`--cpu-cfs-quota-period`). */
const periodUs = 100_000;

/** The cgroups are named after `name`, and removed again. Undefined if none can be created here. */
export function cpuCgroups(name: string): CpuCgroups | undefined {
  const parent = writableParent('cpu', name);
  if (parent === undefined) return undefined;
  let count = 0;
  return {
    limit(pid, millis) {
      const cgroup = join(parent, `${name}-cpu-${++count}`);
      mkdirSync(cgroup);
      const quotaUs = (periodUs * millis) / 1000;
      if (existsSync(join(cgroup, 'cpu.max'))) writeFileSync(join(cgroup, 'cpu.max'), `${quotaUs} ${periodUs}`);
      else {
        writeFileSync(join(cgroup, 'cpu.cfs_period_us'), String(periodUs));
        writeFileSync(join(cgroup, 'cpu.cfs_quota_us'), String(quotaUs));
      }
      for (const member of processTree(pid)) writeFileSync(join(cgroup, 'cgroup.procs'), String(member));
      return { [Symbol.asyncDispose]: () => removeCgroup(cgroup) };
    },
  };
}

export interface MemoryCgroups {
  /**
   * Moves a process into a cgroup with a memory limit, and starts another process there that exceeds it. The OOM killer ends
   * the largest process, which must be the given one. Resolves with the time at which memory ran short.
   */
  outOfMemory(pid: number, exited: Promise<unknown>): Promise<number>;
}

/** Less than any of our daemons uses, so that the process that eats the rest is always the smaller one. */
const limitBytes = 16 << 20;
const oomTimeoutMs = 10_000;

/** The cgroups are named after `name`, and removed again. Undefined if none can be created here. */
export function memoryCgroups(name: string, environment: Readonly<Record<string, string>>): MemoryCgroups | undefined {
  const parent = writableParent('memory', name);
  if (parent === undefined) return undefined;
  let count = 0;
  return {
    async outOfMemory(pid, exited) {
      const cgroup = join(parent, `${name}-${++count}`);
      mkdirSync(cgroup);
      try {
        const limitFile = limitFiles.memory.map((file) => join(cgroup, file)).find(existsSync) ?? '';
        writeFileSync(limitFile, String(limitBytes));
        if (existsSync(join(cgroup, 'memory.swap.max'))) writeFileSync(join(cgroup, 'memory.swap.max'), '0');
        // Loaded on demand, because it would slow the start of every sandbox.
        const { execa } = await import('execa');
        const at = monotonicNow();
        writeFileSync(join(cgroup, 'cgroup.procs'), String(pid));
        const eater = execa('sh', ['-c', 'echo 0 > "$0/cgroup.procs" && exec tail /dev/zero', cgroup], {
          env: { ...environment },
          extendEnv: false,
          stdio: 'ignore',
          reject: false,
        });
        await Promise.race([exited, delay(oomTimeoutMs)]);
        eater.kill('SIGKILL');
        await eater;
        if (countOomKills(cgroup) === 0) throw new Error(`the OOM killer did not act in ${cgroup}`);
        return at;
      } finally {
        await removeCgroup(cgroup);
      }
    },
  };
}

export interface UnifiedCgroups extends AsyncDisposable {
  /** Moves a process into a cgroup, without any limit. Its path is one below the run's own cgroup. */
  place(pid: number, path: string): void;
}

/** Cgroups of version 2 below one that is named after `name`. `mount`: mounts the hierarchy if it is not mounted, and returns where. */
export function unifiedCgroups(name: string, mount: () => string): UnifiedCgroups {
  const root = join(unifiedMount() ?? mount(), `${name}-v2`);
  return {
    place(pid, path) {
      const cgroup = join(root, path);
      mkdirSync(cgroup, { recursive: true });
      writeFileSync(join(cgroup, 'cgroup.procs'), String(pid));
    },
    [Symbol.asyncDispose]: () => removeCgroup(root),
  };
}

function unifiedMount(): string | undefined {
  const mounts = parseMountinfo(readFileSync('/proc/thread-self/mountinfo', 'utf8'));
  return mounts.find(({ fstype }) => fstype === 'cgroup2')?.mountPoint;
}

function countOomKills(cgroup: string): number {
  const v2 = join(cgroup, 'memory.events');
  const text = readFileSync(existsSync(v2) ? v2 : join(cgroup, 'memory.oom_control'), 'utf8');
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Removes the cgroups that a killed run left, whose names contain its id. Returns the failures. */
export async function removeCgroupsOfRun(runId: string): Promise<readonly string[]> {
  const failures: string[] = [];
  const parents = new Set([parentCgroup('cpu'), parentCgroup('memory'), unifiedMount()]);
  for (const parent of parents) {
    if (parent === undefined) continue;
    for (const name of globSync(`rekindle-${runId}-*`, { cwd: parent }))
      await removeCgroup(join(parent, name)).catch((error: Error) => failures.push(`cgroup ${name}: ${error.message}`));
  }
  return failures;
}

/** The parent of new cgroups, if a cgroup with the controller's limit can be created there. */
function writableParent(controller: Controller, name: string): string | undefined {
  const parent = parentCgroup(controller);
  if (parent === undefined) return undefined;
  const attempt = join(parent, `${name}-${controller}-try`);
  try {
    mkdirSync(attempt);
  } catch {
    return undefined;
  }
  const hasLimit = limitFiles[controller].some((file) => existsSync(join(attempt, file)));
  rmdirSync(attempt);
  return hasLimit ? parent : undefined;
}

/** v1: our own cgroup. v2: the root, because a cgroup that has processes cannot limit its children. */
function parentCgroup(controller: Controller): string | undefined {
  const mounts = parseMountinfo(readFileSync('/proc/thread-self/mountinfo', 'utf8'));
  const v1 = mounts.find(({ fstype, superOptions }) => fstype === 'cgroup' && superOptions.includes(controller));
  if (v1 === undefined) return mounts.find(({ fstype }) => fstype === 'cgroup2')?.mountPoint;
  const own = new RegExp(`^\\d+:(?:[^:\\n]*,)?${controller}(?:,[^:\\n]*)?:(.*)$`, 'm').exec(
    readFileSync('/proc/thread-self/cgroup', 'utf8'),
  )?.[1];
  if (own === undefined) return undefined;
  // In a container the hierarchy begins with the container's own cgroup.
  const relative = own === v1.root || own.startsWith(`${v1.root}/`) ? own.slice(v1.root.length) : own;
  return join(v1.mountPoint, relative);
}

/** A cgroup stays busy for a moment after its last process has ended. */
const removalTimeoutMs = 10_000;

/** Also removes the cgroups below it. */
async function removeCgroup(cgroup: string): Promise<void> {
  const below = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of below) await removeCgroup(join(cgroup, name));
  await poll<Error | undefined>({
    condition: `cgroup ${cgroup} is removed`,
    read() {
      try {
        rmdirSync(cgroup);
        return undefined;
      } catch (error) {
        return error as Error;
      }
    },
    until: (error) => error === undefined,
    format: (error) => error?.message ?? '',
    timeoutMs: removalTimeoutMs,
    intervalMs: 10,
  });
}
