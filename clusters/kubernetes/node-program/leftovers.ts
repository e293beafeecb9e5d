import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { detach, type Linux } from '../../../fakes/kubelet/linux.ts';
import { parseMountinfo } from '../../../recovery/kernel/mountinfo.ts';

const mountRoot = '/runtime-mnt';

/**
 * Mounts and directories of the node that a namespace's datasets and pods left, once its pods are gone. A daemon that ended
 * with its pod may leave its mount dead, and nobody speaks of it: that, and the empty directories around it, are taken away here.
 */
export function leftoversOf(linux: Linux, namespace: string): readonly string[] {
  detachAll(linux, `${mountRoot}/jindo/${namespace}/`);
  removeEmpty(`/proc/1/root${mountRoot}/jindo/${namespace}`);
  const lines = table().filter((line) => line.includes(`/jindo/${namespace}/`) || line.includes(`/${namespace}-`));
  return lines.map((line) => `mount ${line}`);
}

function detachAll(linux: Linux, below: string): void {
  const mounts = parseMountinfo(table().join('\n')).filter(({ mountPoint }) => mountPoint.startsWith(below));
  if (mounts.length === 0) return;
  linux.inNamespacesOf(1, ['mnt'], () => {
    for (const { mountPoint } of mounts.toReversed())
      try {
        linux.umount(mountPoint, detach);
      } catch {
        // Somebody else has just done so; if not, it is still in the table.
      }
  });
}

/** Directories only: what holds a file, or a mount, stays. */
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
    // In use.
  }
}

function table(): readonly string[] {
  return readFileSync('/proc/1/mountinfo', 'utf8').trimEnd().split('\n');
}
