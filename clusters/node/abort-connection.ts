import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Linux, LinuxError } from '../../fakes/kubelet/linux.ts';
import { monotonicNow } from '../../recovery/clock.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { MNT_DETACH, MS_PRIVATE, MS_REC } from '../../recovery/linux/syscalls.ts';

const connections = '/sys/fs/fuse/connections';
const force = 1;

/**
 * Aborts the FUSE connection of a daemon's container and returns the time. Uses fusectl, and mounts it if necessary. A user namespace
 * may not mount fusectl; there a forced unmount in a private copy of the mount namespace has the same effect.
 */
export function abortConnection(linux: Linux, pid: number): number {
  const mount = fuseMounts(pid).at(-1);
  if (!mount) throw new Error(`process ${pid} has no FUSE mount in its mount namespace`);
  const abort = join(connections, mount.device.split(':')[1] ?? '', 'abort');
  if (existsSync(abort)) return writeOne(abort);
  return linux.inNewNamespaces(['mnt'], () => {
    linux.mount(null, '/', null, MS_PRIVATE | MS_REC);
    try {
      linux.mount('none', connections, 'fusectl', 0);
      return writeOne(abort);
    } catch (error) {
      if (!(error instanceof LinuxError)) throw error;
      const copy = fuseMounts('thread-self').findLast(({ device }) => device === mount.device);
      if (!copy) throw new Error(`device ${mount.device} is not mounted on the node`);
      const at = monotonicNow();
      linux.umount(copy.mountPoint, force | MNT_DETACH);
      return at;
    }
  });
}

function fuseMounts(process: number | 'thread-self') {
  const table = parseMountinfo(readFileSync(`/proc/${process}/mountinfo`, 'utf8'));
  return table.filter(({ fstype }) => /^fuse(\.|$)/.test(fstype));
}

function writeOne(file: string): number {
  const at = monotonicNow();
  writeFileSync(file, '1');
  return at;
}
