import { readFileSync } from 'node:fs';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { MNT_DETACH } from '../../recovery/linux/syscalls.ts';
import { type Linux, LinuxError } from './linux.ts';

/** Detaches what is mounted at a path and below it, the last first. */
export function detachBelow(linux: Pick<Linux, 'umount'>, path: string): void {
  const mounts = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).filter(
    ({ mountPoint }) => mountPoint === path || mountPoint.startsWith(`${path}/`),
  );
  for (const { mountPoint } of mounts.toReversed()) {
    try {
      linux.umount(mountPoint, MNT_DETACH);
    } catch (error) {
      // It went with one of its peers.
      if (!(error instanceof LinuxError && (error.code === 'EINVAL' || error.code === 'ENOENT'))) throw error;
    }
  }
}
