import { release } from 'node:os';
import type { Failure, KernelTier } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { attributeChange } from './attributes.ts';
import { done, failed, inStep, ok } from './result.ts';
import type { Staging } from './staging.ts';
import { AT_FDCWD, MNT_DETACH, O_PATH, type Syscalls } from './syscalls.ts';

/** Why this kernel, or this process's rights, will not do, and what to do about it. */
export interface Unavailable extends Failure {
  /** One sentence. */
  readonly remedy: string;
}

export const oldestKernel = [5, 10] as const;

/** Refuses a kernel before 5.10, which has not the mount API as we use it. `running`: `uname -r`. */
export function checkRelease(running: string = release()): { ok: true } | { ok: false; failure: Unavailable } {
  const [major = 0, minor = 0] = running.split('.').map((part) => Number.parseInt(part, 10));
  if (major > oldestKernel[0] || (major === oldestKernel[0] && minor >= oldestKernel[1])) return { ok: true };
  return {
    ok: false,
    failure: {
      errno: 'ENOSYS',
      call: 'uname',
      path: running,
      step: 'check-kernel',
      remedy: `Linux ${running} is too old: run Linux ${oldestKernel.join('.')} or later on this node`,
    },
  };
}

/**
 * The best tier that works, found by doing it once on two mounts in the staging namespace.
 *
 * Trying is the only true test: distributions carry calls back to older kernels, and seccomp profiles take them away.
 */
export function detectTier(sys: Syscalls, staging: Staging): Result<KernelTier> {
  return staging.enter(() => {
    const place = sys.openat2({ at: AT_FDCWD, path: '/0', flags: O_PATH, resolve: 0 });
    if (!place.ok) return inStep('detect', '/0', place);
    try {
      const lower = readOnlyClone(sys, place.value);
      if (!lower.ok) {
        // The calls of 5.10 are needed by every tier, and their failure is final.
        return lower.failure.call === 'mount_setattr' ? ok<KernelTier>('5.10') : lower;
      }
      const attached = sys.moveMount(lower.value, { at: place.value, path: '' });
      sys.close(lower.value);
      if (!attached.ok) return inStep('detect', '/0', attached);
      try {
        return ok<KernelTier>(mountsBeneath(sys).ok ? '6.5' : '5.12');
      } finally {
        while (sys.umount('/0', MNT_DETACH).ok);
      }
    } finally {
      sys.close(place.value);
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

const order: readonly KernelTier[] = ['5.10', '5.12', '6.5'];

/** A tier that was asked for has to be there; a lower one than the kernel's is always fine. */
export function checkForced(forced: KernelTier, detected: KernelTier): Result<void> {
  if (order.indexOf(forced) <= order.indexOf(detected)) return done;
  return failed({ errno: 'ENOSYS', call: 'move_mount', path: '', step: `force-tier-${forced}` });
}
