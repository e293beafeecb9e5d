import type { Mount } from '../engine/model.ts';

/**
 * The mounts at one path, bottom first; the last is the one that is seen.
 * Ordered by parents, not by their order in mountinfo: a mount that was attached beneath another has the higher id.
 */
export function mountStack(table: readonly Mount[], path: string): readonly Mount[] {
  const rest = new Set(table.filter(({ mountPoint }) => mountPoint === path));
  const stack: Mount[] = [];
  while (rest.size > 0) {
    const inside = new Set([...rest].map(({ id }) => id));
    const next = [...rest].find(({ parentId }) => !inside.has(parentId)) ?? [...rest][0];
    if (next === undefined) break;
    stack.push(next);
    rest.delete(next);
  }
  return stack;
}

/** The mounts of the table below one path, parents first as far as the table has them so. */
export function mountsBelow(table: readonly Mount[], path: string): readonly Mount[] {
  return table.filter(({ mountPoint }) => mountPoint.startsWith(`${path}/`));
}

/** Whether a filesystem is served by a FUSE daemon: `fuse`, `fuseblk`, `fuse.<subtype>`; fusectl is not. */
export function isFuse({ fstype }: Mount): boolean {
  return fstype === 'fuse' || fstype === 'fuseblk' || fstype.startsWith('fuse.');
}
