import { readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Linux } from '../../../fakes/kubelet/linux.ts';
import type { Mount } from '../../../recovery/engine/model.ts';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';
import { MNT_DETACH } from '../../../recovery/linux/syscalls.ts';
import { readMountTable } from '../../node/mount-table.ts';

const mountRoot = '/runtime-mnt';

/**
 * Mounts on the node that a namespace's datasets and pods left, once its pods are gone. A daemon that ended with its pod may leave a
 * dead mount that nobody uses: that, and the empty directories around it, are removed first.
 */
export function removeLeftovers(linux: Linux, namespace: string): readonly string[] {
  const below = `${mountRoot}/jindo/${namespace}/`;
  detachAll(linux, ({ mountPoint }) => mountPoint.startsWith(below));
  removeEmpty(`/proc/1/root${mountRoot}/jindo/${namespace}`);
  const lines = readMountTable(1).filter(
    (line) => line.includes(`/jindo/${namespace}/`) || line.includes(`/${namespace}-`),
  );
  return lines.map((line) => `mount ${line}`);
}

/**
 * Detaches the FUSE mounts in the directories that a pod's containers shared, once all of them have ended. On a real virtual node they
 * would disappear with the pod's sandbox. On the ordinary node that imitates one, the kubelet could never remove the directory.
 */
export function releaseShared(linux: Linux, podUid: string): void {
  const directory = `/pods/${podUid}/volumes/kubernetes.io~empty-dir/`;
  detachAll(linux, ({ mountPoint, fstype }) => mountPoint.includes(directory) && /^fuse(\.|$)/.test(fstype));
}

function detachAll(linux: Linux, condition: (mount: Mount) => boolean): void {
  const mounts = parseMountinfo(readMountTable(1).join('\n')).filter(condition);
  if (mounts.length === 0) return;
  linux.inNamespacesOf(1, ['mnt'], () => {
    for (const { mountPoint } of mounts.toReversed())
      try {
        linux.umount(mountPoint, MNT_DETACH);
      } catch {
        // Already detached; otherwise it is still in the table.
      }
  });
}

/** Removes empty directories. A directory with a file or a mount stays. */
function removeEmpty(directory: string): void {
  let names: readonly string[];
  try {
    names = readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return;
  }
  for (const name of names) removeEmpty(join(directory, name));
  try {
    rmdirSync(directory);
  } catch {
    // Not empty.
  }
}
