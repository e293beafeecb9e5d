import { closeSync, writeSync } from 'node:fs';
import type { DeviceId, Mount } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { type KernelContext, makePrivate, openPath } from './context.ts';
import { connectionOf } from './daemon-search.ts';
import { done, errnoOf, failed, inStep } from './result.ts';
import { AT_FDCWD, MNT_DETACH, MNT_FORCE, O_WRONLY } from './syscalls.ts';

/**
 * Aborts a FUSE connection: every pending and later call on it ends with ECONNABORTED or ENOTCONN.
 *
 * Writes to fusectl, through a detached instance of it if it is not mounted. A user namespace may not mount fusectl; there a forced
 * unmount of a temporary clone aborts the connection and leaves all other mounts in place.
 */
export function abortConnection(context: KernelContext, device: DeviceId): Result<void> {
  const connection = connectionOf(device);
  if (connection === undefined) return failed({ errno: 'ENODEV', call: 'abort', path: device, step: 'abort' });
  const aborted = abortByFile(context, connection);
  return aborted.ok ? aborted : abortByUnmount(context, device);
}

function abortByFile({ sys }: KernelContext, connection: number): Result<void> {
  const present = sys.open(`/sys/fs/fuse/connections/${connection}/abort`, O_WRONLY);
  if (present.ok) return writeOne(present.value);
  const fusectl = sys.fsmount('fusectl');
  if (!fusectl.ok) return inStep('abort', '', fusectl);
  try {
    const opened = sys.openat2({ at: fusectl.value, path: `${connection}/abort`, flags: O_WRONLY, resolve: 0 });
    return opened.ok ? writeOne(opened.value) : inStep('abort', '', opened);
  } finally {
    sys.close(fusectl.value);
  }
}

function writeOne(fd: number): Result<void> {
  try {
    writeSync(fd, '1');
    return done;
  } catch (error) {
    return failed({ errno: errnoOf(error), call: 'write', path: 'abort', step: 'abort' });
  } finally {
    closeSync(fd);
  }
}

function abortByUnmount(context: KernelContext, device: DeviceId): Result<void> {
  const clone = context.namespaces.inNode(() => {
    const table = context.nodeTable();
    if (!table.ok) return table;
    const mount = table.value.findLast((candidate) => candidate.device === device && isVisible(candidate, table.value));
    if (mount === undefined) return failed({ errno: 'ENODEV', call: 'umount2', path: device, step: 'abort' });
    return cloneAt(context, mount);
  });
  if (!clone.ok) return inStep('abort', device, clone);
  try {
    return context.staging.enter(() => {
      const attached = context.sys.moveMount(clone.value, { at: AT_FDCWD, path: '/0' });
      if (!attached.ok) return inStep('abort', device, attached);
      const isolated = makePrivate(context, clone.value, false);
      const unmounted = isolated.ok ? context.sys.umount('/0', MNT_FORCE | MNT_DETACH) : isolated;
      return inStep('abort', device, unmounted);
    });
  } finally {
    context.sys.close(clone.value);
  }
}

function cloneAt(context: KernelContext, mount: Mount): Result<number> {
  const { sys } = context;
  const opened = openPath(context, mount.mountPoint);
  if (!opened.ok) return opened;
  try {
    const identity = sys.identify(opened.value);
    if (!identity.ok) return identity;
    if (identity.value.device !== mount.device) {
      return failed({ errno: 'ESTALE', call: 'statx', path: mount.mountPoint, step: 'abort' });
    }
    return sys.cloneTree(opened.value, false);
  } finally {
    sys.close(opened.value);
  }
}

function isVisible(mount: Mount, table: readonly Mount[]): boolean {
  return !table.some((other) => other.parentId === mount.id && other.mountPoint === mount.mountPoint);
}
