import { mkdirSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { countFuseMounts, detachDead, isAlive } from './dead-mounts.ts';
import type { Native } from './native.ts';

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
  readonly native: Pick<Native, 'detach' | 'attachCopy'>;
}

/**
 * Puts the filesystem of `staging` where the pod's other containers see it. On a dead mount it is stacked, after what an earlier
 * recovery had stacked there was detached: the dead one below shows meanwhile, never an empty directory; who has bound the dead
 * mount gets the new one by propagation, and two lines are the most (facts: kernel M3). A sentence where it cannot be done.
 */
export function attachSidecarMount({ staging, mountpoint, setting, native }: SidecarMount): string | undefined {
  if (setting.replace) {
    const trouble = detachUpper(mountpoint, native);
    if (trouble !== undefined) return trouble;
  } else {
    const detached = detachDead({ mountpoint, detach: native.detach });
    if (typeof detached === 'string') return detached;
    mkdirSync(mountpoint, { recursive: true });
  }
  const { readOnly } = setting;
  const errno = native.attachCopy({ from: staging, to: mountpoint, readOnly });
  if (errno !== undefined) return `the filesystem cannot be attached at ${mountpoint}: errno ${errno}`;
  native.detach(staging);
  rmdirSync(staging);
  return undefined;
}

/** Leaves the lowest of the dead mounts. */
function detachUpper(mountpoint: string, native: Pick<Native, 'detach'>): string | undefined {
  const mounts = countFuseMounts(readFileSync('/proc/self/mountinfo', 'utf8'), mountpoint);
  if (mounts === 0) mkdirSync(mountpoint, { recursive: true });
  else if (isAlive(mountpoint)) return `a living FUSE filesystem is mounted at ${mountpoint}`;
  for (let left = mounts; left > 1; left--) {
    const errno = native.detach(mountpoint);
    if (errno !== undefined) return `the dead mount at ${mountpoint} cannot be detached: errno ${errno}`;
  }
  return undefined;
}
