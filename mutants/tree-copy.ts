import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyEdit, type Edit } from './locate.ts';

const notSources = new Set(['.git', 'dist', 'node_modules', 'results']);

/** A copy of the sources that may be broken; the packages are the project's own. Removed when it is disposed of. */
export class TreeCopy implements Disposable {
  readonly path: string;

  constructor(project: string) {
    this.path = mkdtempSync(join(tmpdir(), 'rekindle-mutant-'));
    for (const name of readdirSync(project))
      if (!notSources.has(name)) cpSync(join(project, name), join(this.path, name), { recursive: true });
    // Containers have a /tmp of their own, so a link to a link in there would lead nowhere.
    symlinkSync(realpathSync(join(project, 'node_modules')), join(this.path, 'node_modules'));
  }

  /** Breaks the copy until disposed of. @throws DoesNotApply, with nothing changed, if one of the edits does not apply */
  breakBy(edits: readonly Edit[]): Disposable {
    const before = new Map(edits.map(({ file }) => [file, readFileSync(join(this.path, file), 'utf8')]));
    const after = new Map(before);
    for (const edit of edits) after.set(edit.file, applyEdit(after.get(edit.file) ?? '', edit));
    this.#write(after);
    return { [Symbol.dispose]: () => this.#write(before) };
  }

  #write(texts: ReadonlyMap<string, string>): void {
    for (const [file, text] of texts) writeFileSync(join(this.path, file), text);
  }

  /** Nothing is mounted in it: the sandbox's mounts are in namespaces that have ended by then. */
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
