import { mkdirSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from './usage-error.ts';

/** Makes sure that a folder exists and can be written, by doing it. Returns its absolute path; the folder stays. */
export function writableFolder(given: string, cwd: string): string {
  const path = resolve(cwd, given);
  const made: string[] = [];
  try {
    // One by one: mkdir of Node with `recursive` does not end below /proc.
    for (const folder of missingFolders(path)) {
      mkdirSync(folder);
      made.unshift(folder);
    }
    rmdirSync(mkdtempSync(join(path, '.rekindle-')));
    return path;
  } catch (error) {
    for (const folder of made) rmdirSync(folder);
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UsageError(
      `cannot write to ${JSON.stringify(given)} (${why}): --out takes a folder that can be made and written`,
    );
  }
}

/** The folder and those above it that do not exist, outermost first. */
function missingFolders(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return [];
  const parent = dirname(path);
  return parent === path ? [] : [...missingFolders(parent), path];
}
