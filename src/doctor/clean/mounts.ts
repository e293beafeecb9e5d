import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';

/** Mount points at or below one of the directories, shallowest first, from the text of a mountinfo (`man 5 proc`). */
export function mountPointsBelow(mountinfo: string, directories: readonly string[]): readonly string[] {
  return parseMountinfo(mountinfo)
    .map(({ mountPoint }) => mountPoint)
    .filter((path) => directories.some((directory) => path === directory || path.startsWith(`${directory}/`)))
    .toSorted((a, b) => a.length - b.length);
}

/** Mount points at or below the directories in this process's own mount namespace, shallowest first. */
export function ownMountsBelow(directories: readonly string[]): readonly string[] {
  if (directories.length === 0) return [];
  return mountPointsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), directories);
}

/**
 * Detaches all mounts at or below the directories. Returns the detached mount points, and the remaining ones with the reason.
 * Starts with the shallowest: a lazy unmount also detaches the mounts below, so no path leads through a dead mount. Runs
 * umount(8) as a separate process, so that a broken mount cannot block this one.
 */
export async function detachMounts(
  directories: readonly string[],
): Promise<{ readonly removed: readonly string[]; readonly leftovers: readonly string[] }> {
  const removed: string[] = [];
  for (;;) {
    const [next] = ownMountsBelow(directories);
    if (next === undefined) return { removed, leftovers: [] };
    const before = ownMountsBelow(directories).length;
    const flags = ['--lazy', '--no-canonicalize', '--internal-only', '--'];
    const ended = await execa('umount', [...flags, next], { reject: false, timeout: 10_000, killSignal: 'SIGKILL' });
    if (ended.failed) {
      const reason = ended.stderr.trim() || ended.shortMessage;
      return { removed, leftovers: ownMountsBelow(directories).map((path) => `mount ${path}: ${reason}`) };
    }
    const remaining = ownMountsBelow(directories);
    // Otherwise an umount(8) that succeeds without effect would be repeated forever.
    if (remaining.length >= before)
      return { removed, leftovers: remaining.map((path) => `mount ${path}: is still there after umount`) };
    removed.push(`mount ${next}`);
  }
}
