import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ownMountsBelow } from './mounts.ts';

/**
 * Removes a directory with its content and returns a line for each path that remains. Never follows a symbolic link, never
 * enters another file system, and refuses if anything is mounted at or below the directory.
 */
export function removeTree(directory: string): readonly string[] {
  const mounted = ownMountsBelow([directory]);
  if (mounted.length > 0) return [`directory ${directory}: ${mounted[0]} is still mounted`];
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return attempt(directory, () => unlinkSync(directory));
  return removeDirectory(directory, stat.dev);
}

function removeDirectory(directory: string, device: number): readonly string[] {
  const leftovers: string[] = [];
  const names = attempt(directory, () => {
    // The copy of a read-only bucket is not writable even by its owner.
    if ((lstatSync(directory).mode & 0o700) !== 0o700) chmodSync(directory, 0o700);
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (!stat.isDirectory()) leftovers.push(...attempt(path, () => unlinkSync(path)));
      else if (stat.dev !== device) leftovers.push(`directory ${path}: is on another file system`);
      else leftovers.push(...removeDirectory(path, device));
    }
  });
  leftovers.push(...names);
  return leftovers.length > 0 ? leftovers : attempt(directory, () => rmdirSync(directory));
}

function attempt(path: string, action: () => void): readonly string[] {
  try {
    action();
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? [] : [`${path}: ${code ?? String(error)}`];
  }
}
