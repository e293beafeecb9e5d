import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Creates a folder that contains only links to the named programs, for use as a PATH without a compiler. Links to the first of
 * each on the PATH outside `node_modules`, which is the one that a user of the package has.
 */
export function foreignPrograms(names: readonly string[], folder: string, path: string): string {
  mkdirSync(folder);
  const directories = path.split(delimiter).filter((directory) => !directory.includes('node_modules'));
  for (const name of names) {
    const program = directories.map((directory) => join(directory, name)).find((candidate) => existsSync(candidate));
    if (program === undefined) throw new Error(`no ${name} on the PATH`);
    symlinkSync(program, join(folder, name));
  }
  return folder;
}
