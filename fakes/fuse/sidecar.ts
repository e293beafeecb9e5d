import { mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { countFuseMounts, detachDead, isAlive } from './dead-mounts.ts';
import { type Generation, generationsIn, nextGeneration } from './generations.ts';
import type { Aside } from './native.ts';

/**
 * What a sidecar is told by its environment. `replace`: a dead mount is left where it is when the daemon ends, and the next
 * daemon's goes on top of it. Otherwise the daemon drops its mount and mounts anew, as FUSE clients do, which reaches nobody who
 * holds the dead one.
 */
export interface SidecarSetting {
  readonly replace: boolean;
  readonly readOnly: boolean;
}

/** Undefined where the daemon is no sidecar: it then mounts where its flag says, without a detour. */
export function sidecarSetting(environment: Readonly<Record<string, string | undefined>>): SidecarSetting | undefined {
  const { FUSE_RECOVER_POLICY: policy, FUSE_MOUNT_READ_ONLY: readOnly } = environment;
  return policy === undefined ? undefined : { replace: policy === 'auto', readOnly: readOnly === 'true' };
}

/** A directory outside of what is shared, to mount at first: what is attached later is whole from the first moment. */
export function stagingDirectory(temporary: string): string {
  return mkdtempSync(join(temporary, 'rekindle-fuse-'));
}

export interface SidecarMount {
  readonly staging: string;
  readonly mountpoint: string;
  readonly setting: SidecarSetting;
  readonly native: Aside;
}

/**
 * Puts the filesystem of `staging` where the pod's other containers see it, while it is being served. A sentence where that
 * cannot be done.
 */
export async function attachSidecarMount(mount: SidecarMount): Promise<string | undefined> {
  const { staging, mountpoint, setting, native } = mount;
  if (setting.replace) {
    const trouble = await replaceDead(mount);
    if (trouble !== undefined) return trouble;
  } else {
    const detached = await detachDead({ mountpoint, detach: native.detach });
    if (typeof detached === 'string') return detached;
    mkdirSync(mountpoint, { recursive: true });
    const errno = await native.attachCopy({ from: staging, to: mountpoint, readOnly: setting.readOnly });
    if (errno !== undefined) return `the filesystem cannot be attached at ${mountpoint}: errno ${errno}`;
  }
  await native.detach(staging);
  rmdirSync(staging);
  return undefined;
}

/**
 * Stacks the new filesystem on the first of the dead ones, after what an earlier recovery had stacked there was detached: the dead
 * one below shows meanwhile, never an empty directory, and two lines are the most (facts: kernel M3). It reaches by propagation
 * who has bound that first one. A container that was started again since has bound the later one instead, which is therefore kept
 * at hand, out of sight, and stacked upon as well.
 */
async function replaceDead({ staging, mountpoint, setting, native }: SidecarMount): Promise<string | undefined> {
  const table = readFileSync('/proc/self/mountinfo', 'utf8');
  const layers = countFuseMounts(table, mountpoint);
  if (layers === 0) mkdirSync(mountpoint, { recursive: true });
  else if (await isAlive(mountpoint)) return `a living FUSE filesystem is mounted at ${mountpoint}`;
  let generations = generationsIn(table, dirname(mountpoint));
  if (layers > 1) {
    const { keep, drop, path } = nextGeneration(generations, dirname(mountpoint));
    for (const { path, layers } of drop) {
      for (let left = layers; left > 0; left--) await native.detach(path);
      rmdirSync(path);
    }
    mkdirSync(path, { recursive: true });
    const errno = await native.attachCopy({ from: mountpoint, to: path, readOnly: false });
    if (errno !== undefined) return `the dead mount at ${mountpoint} cannot be kept: errno ${errno}`;
    generations = [...keep, { path, layers: 1 }];
  }
  const places: readonly Generation[] = [...generations, { path: mountpoint, layers }];
  for (const { path, layers } of places) {
    for (let left = layers; left > 1; left--) await native.detach(path);
    const errno = await native.attachCopy({ from: staging, to: path, readOnly: setting.readOnly });
    if (errno !== undefined) return `the filesystem cannot be attached at ${path}: errno ${errno}`;
  }
  return undefined;
}
