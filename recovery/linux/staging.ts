import type { Mount } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { parseMountinfo } from './mountinfo.ts';
import type { Namespaces } from './namespaces.ts';
import { inStep, ok } from './result.ts';
import { MNT_DETACH, MS_NODEV, MS_NOSUID, MS_PRIVATE, MS_REC, type Syscalls } from './syscalls.ts';

/** Number of mount points in a staging namespace, `/0` to `/255`: this many clones are prepared together. */
export const STAGING_MOUNT_POINTS = 256;

/**
 * A private mount namespace with nothing but empty directories on a tmpfs.
 *
 * A clone that must be attached before it is complete (to make it read-only without mount_setattr, or to put other
 * mounts into it) is attached in this namespace, which no other process sees. The namespace ends with the process, however that ends.
 */
export interface Staging {
  /** Runs in the namespace; its mount points are `/0` and so on. */
  enter<T>(run: () => Result<T>): Result<T>;
  [Symbol.dispose](): void;
}

export function openStaging(sys: Syscalls, namespaces: Namespaces): Result<Staging> {
  const made = namespaces.inCopy<number>(() => {
    const isPrivate = sys.mount({ source: null, target: '/', fstype: null, flags: MS_REC | MS_PRIVATE });
    if (!isPrivate.ok) return inStep('open-staging', '/', isPrivate);
    const moved = pivot(sys);
    const empty = !moved.ok && moved.failure.errno === 'EPERM' ? cover(sys, namespaces) : moved;
    if (!empty.ok) return inStep('open-staging', '/', empty);
    return inStep('open-staging', '', namespaces.openCurrent());
  });
  if (!made.ok) return made;
  const fd = made.value;
  // Entered again, because the thread that covered the root still has the old root.
  const prepared = namespaces.inNamespace(fd, () => makeMountPoints(sys));
  if (prepared.ok) {
    return ok({
      enter: (run) => namespaces.inNamespace(fd, run),
      [Symbol.dispose]: () => sys.close(fd),
    });
  }
  sys.close(fd);
  return prepared;
}

const tmpfs = { source: 'rekindle-staging', fstype: 'tmpfs', flags: MS_NOSUID | MS_NODEV, data: 'mode=0700,size=1m' };

/** Makes the tmpfs the root and drops the old root. */
function pivot(sys: Syscalls): Result<void> {
  return firstFailure([
    () => sys.mount({ ...tmpfs, target: '/proc' }),
    () => sys.pivotRoot('/proc', '/proc'),
    // The old root is now mounted on top of the new one.
    () => sys.umount('/', MNT_DETACH),
  ]);
}

/**
 * The alternative if a container runtime's seccomp profile forbids pivot_root: detaches all mounts one by one, which are few in a container,
 * and covers the root with the tmpfs. A process that enters the namespace gets the topmost root.
 */
function cover(sys: Syscalls, namespaces: Namespaces): Result<void> {
  const table = readTable(sys, namespaces);
  if (!table.ok) return table;
  for (const { mountPoint } of table.value.toReversed()) {
    if (mountPoint === '/') continue;
    const detached = sys.umount(mountPoint, MNT_DETACH);
    if (!detached.ok && detached.failure.errno !== 'EINVAL') return detached;
  }
  return sys.mount({ ...tmpfs, target: '/' });
}

function readTable(sys: Syscalls, namespaces: Namespaces): Result<readonly Mount[]> {
  const opened = namespaces.openTable();
  if (!opened.ok) return opened;
  const text = sys.readText(opened.value);
  sys.close(opened.value);
  return text.ok ? ok(parseMountinfo(text.value)) : text;
}

function makeMountPoints(sys: Syscalls): Result<void> {
  for (let index = 0; index < STAGING_MOUNT_POINTS; index++) {
    const made = sys.mkdir(`/${index}`);
    if (!made.ok) return inStep('open-staging', '/', made);
  }
  return ok(undefined);
}

function firstFailure(calls: readonly (() => Result<void>)[]): Result<void> {
  for (const call of calls) {
    const result = call();
    if (!result.ok) return result;
  }
  return ok(undefined);
}
