import { mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { countFuseMounts, detachDead, isAlive } from './dead-mounts.ts';
import type { AsyncMountCalls } from './native.ts';

/**
 * A sidecar's settings, from its environment. `replace`: the daemon leaves its dead mount in place when it ends, and the next daemon mounts
 * on top of it. Otherwise the daemon unmounts and mounts again, as FUSE clients do, which containers with the dead mount do not notice.
 */
export interface SidecarSettings {
  readonly replace: boolean;
  readonly readOnly: boolean;
}

/** Undefined if the daemon is not a sidecar; it then mounts directly at its mount point. */
export function parseSidecarSettings(
  environment: Readonly<Record<string, string | undefined>>,
): SidecarSettings | undefined {
  const { FUSE_RECOVER_POLICY: policy, FUSE_MOUNT_READ_ONLY: readOnly } = environment;
  return policy === undefined ? undefined : { replace: policy === 'auto', readOnly: readOnly === 'true' };
}

/** Creates a directory outside of the shared one to mount at first, so that a complete mount is attached later. */
export function createStagingDirectory(temporary: string): string {
  return mkdtempSync(join(temporary, 'rekindle-fuse-'));
}

export interface SidecarMount {
  readonly staging: string;
  readonly mountpoint: string;
  readonly settings: SidecarSettings;
  readonly native: AsyncMountCalls;
}

/** Moves the mount, which is being served already, to where the pod's other containers see it. Returns a sentence if that fails. */
export async function attachSidecarMount(mount: SidecarMount): Promise<string | undefined> {
  const { staging, mountpoint, settings, native } = mount;
  if (settings.replace) {
    const failure = await stackOnDeadMounts(mount);
    if (failure !== undefined) return failure;
  } else {
    const detached = await detachDead({ mountpoint, detach: native.detach });
    if (typeof detached === 'string') return detached;
    mkdirSync(mountpoint, { recursive: true });
    const errno = await native.attachCopy({ from: staging, to: mountpoint, readOnly: settings.readOnly });
    if (errno !== undefined) return `the filesystem cannot be attached at ${mountpoint}: errno ${errno}`;
  }
  await native.detach(staging);
  rmdirSync(staging);
  return undefined;
}

/**
 * Attaches the new mount on the first dead one, after detaching what earlier recoveries stacked there: meanwhile the dead mount shows, never
 * an empty directory, and there are at most two mounts at the path. Mount propagation carries it to containers with a bind mount of the first
 * dead one. A container that was restarted since has a bind mount of a later one. Those are kept hidden as generations, and the new mount is
 * attached on them, too.
 */
async function stackOnDeadMounts({ staging, mountpoint, settings, native }: SidecarMount): Promise<string | undefined> {
  const table = readFileSync('/proc/self/mountinfo', 'utf8');
  const layers = countFuseMounts(table, mountpoint);
  if (layers === 0) mkdirSync(mountpoint, { recursive: true });
  else if (await isAlive(mountpoint)) return `a living FUSE filesystem is mounted at ${mountpoint}`;
  let generations = findGenerations(table, dirname(mountpoint));
  if (layers > 1) {
    const { keep, drop, path } = nextGeneration(generations, dirname(mountpoint));
    for (const { path, layers } of drop) {
      for (let remaining = layers; remaining > 0; remaining--) await native.detach(path);
      rmdirSync(path);
    }
    mkdirSync(path, { recursive: true });
    const errno = await native.attachCopy({ from: mountpoint, to: path, readOnly: false });
    if (errno !== undefined) return `the dead mount at ${mountpoint} cannot be kept: errno ${errno}`;
    generations = [...keep, { path, layers: 1 }];
  }
  const targets: readonly Generation[] = [...generations, { path: mountpoint, layers }];
  for (const { path, layers } of targets) {
    for (let remaining = layers; remaining > 1; remaining--) await native.detach(path);
    const errno = await native.attachCopy({ from: staging, to: path, readOnly: settings.readOnly });
    if (errno !== undefined) return `the filesystem cannot be attached at ${path}: errno ${errno}`;
  }
  return undefined;
}

/** The mount of a former daemon, kept because a container may have a bind mount of it. */
export interface Generation {
  readonly path: string;
  /** Number of mounts at the path: the kept one and those stacked on it. */
  readonly layers: number;
}

const generationsDirectory = '.generations';
/** Older ones are dropped; containers with a bind mount of one of them are no longer reached. */
const maxGenerations = 8;

/** Finds the generations in the shared directory, the oldest first, in the text of /proc/self/mountinfo. */
export function findGenerations(mountinfo: string, shared: string): readonly Generation[] {
  const prefix = `${join(shared, generationsDirectory)}/`;
  const counts = new Map<number, number>();
  for (const { mountPoint } of parseMountinfo(mountinfo)) {
    const number = mountPoint.startsWith(prefix) ? Number(mountPoint.slice(prefix.length)) : Number.NaN;
    if (Number.isInteger(number)) counts.set(number, (counts.get(number) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b).map(([number, layers]) => ({ path: `${prefix}${number}`, layers }));
}

/** The path of the next generation, and which of the existing ones are kept and dropped. */
export function nextGeneration(generations: readonly Generation[], shared: string) {
  const last = Number(generations.at(-1)?.path.split('/').at(-1) ?? 0);
  const excess = Math.max(0, generations.length + 1 - maxGenerations);
  return {
    path: join(shared, generationsDirectory, String(last + 1)),
    keep: generations.slice(excess),
    drop: generations.slice(0, excess),
  };
}
