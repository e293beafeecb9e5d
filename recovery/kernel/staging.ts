import { mkdirSync } from 'node:fs';
import type { Result } from '../engine/ports.ts';
import { errnoOf } from './errno.ts';
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
    const prepared = firstFailure([
      () => sys.mount({ source: null, target: '/', fstype: null, flags: MS_REC | MS_PRIVATE }),
      () =>
        sys.mount({
          source: 'rekindle-staging',
          target: '/proc',
          fstype: 'tmpfs',
          flags: MS_NOSUID | MS_NODEV,
          data: 'mode=0700,size=1m',
        }),
      () => sys.pivotRoot('/proc', '/proc'),
      // The old root lies on top of the new one now, in a namespace that nobody else is in.
      () => sys.umount('/', MNT_DETACH),
    ]);
    if (!prepared.ok) return inStep('open-staging', '/', prepared);
    try {
      for (let place = 0; place < PLACES; place++) mkdirSync(`/${place}`);
    } catch (error) {
      return failed({ errno: errnoOf(error), call: 'mkdir', path: '/', step: 'open-staging' });
    }
    return inStep('open-staging', '', namespaces.openCurrent());
  });
  if (!made.ok) return made;
  const fd = made.value;
  return ok({
    enter: (run) => namespaces.inNamespace(fd, run),
    [Symbol.dispose]: () => sys.close(fd),
  });
}

function firstFailure(calls: readonly (() => Result<void>)[]): Result<void> {
  for (const call of calls) {
    const result = call();
    if (!result.ok) return result;
  }
  return ok(undefined);
}
