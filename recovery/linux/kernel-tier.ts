import { release } from 'node:os';
import type { Failure, KernelTier } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { attributeChange } from './attributes.ts';
import { failed, inStep, ok } from './result.ts';
import type { Staging } from './staging.ts';
import { AT_FDCWD, MNT_DETACH, O_PATH, type Syscalls } from './syscalls.ts';

/** The reason why this kernel or the rights of this process are insufficient, with a remedy. */
export interface Unavailable extends Failure {
  /** One sentence. */
  readonly remedy: string;
}

const oldestKernel = '5.10';

/** Refuses a kernel older than 5.10, which lacks parts of the mount API that every tier needs. `running`: `uname -r`. */
export function checkRelease(running: string = release()): { ok: true } | { ok: false; failure: Unavailable } {
  if (isSince(running, oldestKernel)) return { ok: true };
  return {
    ok: false,
    failure: {
      errno: 'ENOSYS',
      call: 'uname',
      path: running,
      step: 'check-kernel',
      remedy: `Linux ${running} is too old: run Linux ${oldestKernel} or later on this node`,
    },
  };
}

/**
 * The best tier that works here, found by trying each call once on mounts in the staging namespace. A version number
 * proves nothing: distributions backport system calls, and seccomp profiles forbid them.
 */
export function detectTier(sys: Syscalls, staging: Staging): Result<KernelTier> {
  return staging.enter(() => {
    const mountPoint = sys.openat2({ at: AT_FDCWD, path: '/0', flags: O_PATH, resolve: 0 });
    if (!mountPoint.ok) return inStep('detect', '/0', mountPoint);
    try {
      const lower = readOnlyClone(sys, mountPoint.value);
      if (!lower.ok) {
        // Every tier needs the calls of 5.10, so there is no tier if one of these fails.
        return lower.failure.call === 'mount_setattr' ? ok<KernelTier>('5.10') : lower;
      }
      const attached = sys.moveMount(lower.value, { at: mountPoint.value, path: '' });
      sys.close(lower.value);
      if (!attached.ok) return inStep('detect', '/0', attached);
      try {
        return ok<KernelTier>(mountsBeneath(sys).ok ? '6.5' : '5.12');
      } finally {
        while (sys.umount('/0', MNT_DETACH).ok);
      }
    } finally {
      sys.close(mountPoint.value);
    }
  });
}

function mountsBeneath(sys: Syscalls): Result<void> {
  const top = sys.openat2({ at: AT_FDCWD, path: '/0', flags: O_PATH, resolve: 0 });
  if (!top.ok) return top;
  const clone = readOnlyClone(sys, top.value);
  try {
    return clone.ok ? sys.moveMount(clone.value, { at: top.value, path: '', beneath: true }) : clone;
  } finally {
    if (clone.ok) sys.close(clone.value);
    sys.close(top.value);
  }
}

function readOnlyClone(sys: Syscalls, fd: number): Result<number> {
  const clone = sys.cloneTree(fd, false);
  if (!clone.ok) return inStep('detect', '/0', clone);
  const changed = sys.setAttributes(clone.value, attributeChange(['ro', 'relatime']));
  if (changed.ok) return clone;
  sys.close(clone.value);
  return inStep('detect', '/0', changed);
}

/** From the oldest to the newest. 5.12 has mount_setattr, 6.5 can mount beneath. */
const tiers: readonly KernelTier[] = ['5.10', '5.12', '6.5'];

/**
 * The tier in use: what the kernel offers, or the lower one that `--kernel-tier` forces. ENOSYS if the kernel does not offer
 * the forced tier. `offered` comes from `detectTier`; a missing flag says nothing about the kernel.
 */
export function effectiveTier(offered: KernelTier, forced: KernelTier | undefined): Result<KernelTier> {
  if (forced === undefined) return ok(offered);
  if (tiers.indexOf(forced) <= tiers.indexOf(offered)) return ok(forced);
  return failed({ errno: 'ENOSYS', call: 'move_mount', path: '', step: `force-tier-${forced}` });
}

/** The best tier that a kernel has by its version, if nothing can be tried on it. `release`: `uname -r`. */
export function tierOfRelease(release: string): KernelTier {
  return tiers.findLast((tier) => isSince(release, tier)) ?? '5.10';
}

/** Whether a kernel is at least as new as `MAJOR.MINOR`. False if `release` is not a version. */
export function isSince(release: string, version: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = version.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
