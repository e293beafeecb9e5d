import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';

const run = promisify(execFile);

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
 * Detaches all mounts at or below the directories and returns the mount points, and those that are left with the reason.
 * The shallowest goes first: a lazy unmount takes along what is mounted below, and no path is walked through a dead mount.
 * By umount(8) in a process of its own, so that no mount, however broken, can hold this one.
 */
export async function detachMounts(
  directories: readonly string[],
): Promise<{ readonly removed: readonly string[]; readonly leftovers: readonly string[] }> {
  const removed: string[] = [];
  for (;;) {
    const [next] = ownMountsBelow(directories);
    if (next === undefined) return { removed, leftovers: [] };
    const before = ownMountsBelow(directories).length;
    try {
      await run('umount', ['--lazy', '--no-canonicalize', '--internal-only', '--', next], {
        timeout: 10_000,
        killSignal: 'SIGKILL',
      });
    } catch (error) {
      const says = (error as { stderr?: string }).stderr?.trim() || String(error);
      return { removed, leftovers: ownMountsBelow(directories).map((path) => `mount ${path}: ${says}`) };
    }
    const left = ownMountsBelow(directories);
    // umount(8) that says yes and changes nothing would be asked for ever.
    if (left.length >= before)
      return { removed, leftovers: left.map((path) => `mount ${path}: is still there after umount`) };
    removed.push(`mount ${next}`);
  }
}
