import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The path of an npm package's file in the nearest `node_modules` directory above this file that contains it. */
export function installedPath(path: string): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', path);
    if (existsSync(found)) return found;
    if (folder === dirname(folder)) throw new Error(`${path} is not installed above ${import.meta.dirname}`);
  }
}
