import { mkdirSync } from 'node:fs';
import type { Mount } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { errnoOf } from './errno.ts';
import { parseMountinfo } from './mountinfo.ts';
import type { Namespaces } from './namespaces.ts';
import { failed, inStep, ok } from './result.ts';
import { MNT_DETACH, MS_NODEV, MS_NOSUID, MS_PRIVATE, MS_REC, type Syscalls } from './syscalls.ts';

/** Places in a staging namespace, `/0` to `/<PLACES - 1>`: so many clones are worked on together. */
export const PLACES = 256;

/**
 * A mount namespace of our own, in which there is nothing but empty directories on a tmpfs.
 *
 * Where a clone has to be attached before it can be made ready (read-only on a kernel without mount_setattr; with other
 * mounts inside it), it is attached here: private, seen by nobody, and gone with the process, whenever that dies.
 */
export interface Staging {
  /** Runs inside; paths are `/0` and so on. */
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
  // Entered anew: whoever covered the root still stands below it.
  const prepared = namespaces.inNamespace(fd, makePlaces);
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

/** The tmpfs becomes the root, and nothing of the old one stays. */
function pivot(sys: Syscalls): Result<void> {
  return firstFailure([
    () => sys.mount({ ...tmpfs, target: '/proc' }),
    () => sys.pivotRoot('/proc', '/proc'),
    // The old root lies on top of the new one now, in a namespace that nobody else is in.
    () => sys.umount('/', MNT_DETACH),
  ]);
}

/**
 * Container runtimes refuse pivot_root (their seccomp profile), and a container has few mounts: they are detached one by one, and the
 * tmpfs covers the root, which the container holds anyway. Whoever enters the namespace stands on what is on top.
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

function makePlaces(): Result<void> {
  try {
    for (let place = 0; place < PLACES; place++) mkdirSync(`/${place}`);
    return ok(undefined);
  } catch (error) {
    return failed({ errno: errnoOf(error), call: 'mkdir', path: '/', step: 'open-staging' });
  }
}

function firstFailure(calls: readonly (() => Result<void>)[]): Result<void> {
  for (const call of calls) {
    const result = call();
    if (!result.ok) return result;
  }
  return ok(undefined);
}
