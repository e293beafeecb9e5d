import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Makes a folder with links to these programs and nothing else, to be a PATH without a compiler. Taken is what a user of the
 * package has: the first of each on the PATH that is not of a `node_modules`.
 */
export function foreignPrograms(names: readonly string[], folder: string, path: string): string {
  mkdirSync(folder);
  const places = path.split(delimiter).filter((place) => !place.includes('node_modules'));
  for (const name of names) {
    const program = places.map((place) => join(place, name)).find((candidate) => existsSync(candidate));
    if (program === undefined) throw new Error(`no ${name} on the PATH`);
    symlinkSync(program, join(folder, name));
  }
  return folder;
}
