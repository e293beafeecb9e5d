import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where a file of an npm package is installed: in the nearest `node_modules` above this file that has it. */
export function installedPath(path: string): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', path);
    if (existsSync(found)) return found;
    if (folder === dirname(folder)) throw new Error(`${path} is not installed above ${import.meta.dirname}`);
  }
}
