import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyEdit, type Edit } from './mutant.ts';

const copied = ['bin', 'clusters', 'fakes', 'features', 'recovery', 'reports', 'src'];
const files = ['package.json', 'tsconfig.json', 'vitest.config.ts'];

/** A copy of the sources that may be broken; the packages are the project's own. Removed when it is disposed of. */
export class TreeCopy implements Disposable {
  readonly path: string;

  constructor(project: string) {
    this.path = mkdtempSync(join(tmpdir(), 'rekindle-mutant-'));
    for (const name of [...copied, ...files]) cpSync(join(project, name), join(this.path, name), { recursive: true });
    // Containers have a /tmp of their own, so a link to a link in there would lead nowhere.
    symlinkSync(realpathSync(join(project, 'node_modules')), join(this.path, 'node_modules'));
  }

  /** Breaks the copy until disposed of. Nothing is changed where one of the edits does not apply. */
  breakBy(edits: readonly Edit[]): Disposable {
    const before = new Map(edits.map(({ file }) => [file, readFileSync(join(this.path, file), 'utf8')]));
    const after = new Map(before);
    for (const edit of edits) after.set(edit.file, applyEdit(after.get(edit.file) ?? '', edit));
    for (const [file, text] of after) writeFileSync(join(this.path, file), text);
    return {
      [Symbol.dispose]: () => {
        for (const [file, text] of before) writeFileSync(join(this.path, file), text);
      },
    };
  }

  /** Nothing is mounted in it: the sandbox's mounts are in namespaces that have ended by then. */
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
