import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../../src/doctor/clean/remove-tree.ts';

const name = /^rekindle-docs-(?<pid>\d+)-/;

/**
 * A folder of this process for the examples of a page, to be removed by `removeTree`; those of processes that were killed before they
 * could do that are removed now.
 */
export function exampleFolder(temporary: string): string {
  for (const entry of readdirSync(temporary)) {
    const pid = name.exec(entry)?.groups?.pid;
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeTree(join(temporary, entry));
  }
  return mkdtempSync(join(temporary, `rekindle-docs-${process.pid}-`));
}
