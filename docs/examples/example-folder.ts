import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../../src/doctor/clean/remove-tree.ts';

const name = /^rekindle-docs-(?<pid>\d+)-/;

/**
 * Creates a folder for the examples of a page; the caller removes it with `removeTree`. Also removes the folders of processes that were
 * killed before they could do so.
 */
export function exampleFolder(temporary: string): string {
  for (const entry of readdirSync(temporary)) {
    const pid = name.exec(entry)?.groups?.pid;
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeTree(join(temporary, entry));
  }
  return mkdtempSync(join(temporary, `rekindle-docs-${process.pid}-`));
}
