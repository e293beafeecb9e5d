import { type Answer, answered, refused } from './answer.ts';
import type { Directory, Entry, FileEntry } from './listing-tree.ts';

/** The read-only tree below. */
export interface LowerTree {
  entry(path: string): Promise<Answer<Entry>>;
  directory(path: string): Promise<Answer<Directory>>;
  read(file: FileEntry, into: Buffer, offset: number): Promise<Answer<number>>;
}

export interface Attributes {
  readonly kind: 'file' | 'directory';
  /** Permission bits only. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** A change that was accepted. */
export interface Change {
  readonly op:
    | 'create'
    | 'write'
    | 'truncate'
    | 'unlink'
    | 'rename'
    | 'mkdir'
    | 'rmdir'
    | 'chmod'
    | 'chown'
    | 'utimens';
  readonly path: string;
  readonly to?: string;
  readonly bytes?: number;
}

export interface WrittenTreeOptions {
  readonly lower: LowerTree;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly record: (change: Change) => void;
}

type Node =
  | { readonly kind: 'gone' }
  /** `covers`: nothing of the tree below shows through. */
  | { readonly kind: 'directory'; readonly covers: boolean; readonly attributes: Attributes }
  /** `bytes` where the contents were touched; otherwise they are those of `base`. */
  | {
      readonly kind: 'file';
      readonly attributes: Attributes;
      readonly base: FileEntry | undefined;
      readonly bytes: Buffer | undefined;
    };

const defaultMode = 0o775;
const maxFileBytes = 16 * 1024 * 1024;

/**
 * A tree that takes every change and keeps it in memory, above one that cannot be changed. It is here to show that
 * nothing but the mounts keeps anybody from writing: each change that comes through is recorded.
 */
export class WrittenTree {
  readonly #options: WrittenTreeOptions;
  readonly #startedAt: number;
  readonly #nodes = new Map<string, Node>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: WrittenTreeOptions) {
    this.#options = options;
    this.#startedAt = options.now();
  }

  async attributes(path: string): Promise<Answer<Attributes>> {
    const node = await this.#find(path);
    return node.ok ? answered(node.value.attributes) : node;
  }

  async names(path: string): Promise<Answer<readonly string[]>> {
    const names = new Set<string>();
    if (!this.#isCovered(path)) {
      const below = await this.#options.lower.directory(path);
      if (!below.ok && this.#nodes.get(path)?.kind !== 'directory') return below;
      if (below.ok) for (const name of below.value.keys()) names.add(name);
    }
    for (const [child, { kind }] of this.#nodes) {
      if (child === '/' || parentOf(child) !== path) continue;
      if (kind === 'gone') names.delete(nameOf(child));
      else names.add(nameOf(child));
    }
    return answered([...names]);
  }

  async read(path: string, into: Buffer, offset: number): Promise<Answer<number>> {
    const found = await this.#find(path);
    if (!found.ok) return found;
    if (found.value.kind === 'directory') return refused('EISDIR');
    const { bytes, base } = found.value;
    if (bytes !== undefined) return answered(bytes.copy(into, 0, Math.min(offset, bytes.byteLength)));
    return base === undefined ? answered(0) : this.#options.lower.read(base, into, offset);
  }

  create(path: string, mode: number): Promise<Answer<undefined>> {
    return this.#change({ op: 'create', path }, async () => {
      this.#nodes.set(path, {
        kind: 'file',
        attributes: this.#fresh('file', mode),
        base: undefined,
        bytes: Buffer.alloc(0),
      });
      return undefined;
    });
  }

  mkdir(path: string, mode: number): Promise<Answer<undefined>> {
    return this.#change({ op: 'mkdir', path }, async () => {
      this.#nodes.set(path, { kind: 'directory', covers: true, attributes: this.#fresh('directory', mode) });
      return undefined;
    });
  }

  write(path: string, from: Buffer, offset: number): Promise<Answer<undefined>> {
    const bytes = from.byteLength;
    return this.#change({ op: 'write', path, bytes }, () =>
      this.#contents(
        path,
        (old) => {
          const contents = Buffer.alloc(Math.max(old.byteLength, offset + bytes));
          old.copy(contents);
          from.copy(contents, offset);
          return contents;
        },
        offset + bytes,
      ),
    );
  }

  truncate(path: string, size: number): Promise<Answer<undefined>> {
    return this.#change({ op: 'truncate', path, bytes: size }, () =>
      this.#contents(path, (old) => Buffer.concat([old], size), size),
    );
  }

  unlink(path: string): Promise<Answer<undefined>> {
    return this.#change({ op: 'unlink', path }, async () => this.#remove(path));
  }

  rmdir(path: string): Promise<Answer<undefined>> {
    return this.#change({ op: 'rmdir', path }, async () => {
      const names = await this.names(path);
      if (!names.ok) return names.errno;
      return names.value.length > 0 ? 'ENOTEMPTY' : this.#remove(path);
    });
  }

  /** A directory that the bucket holds would have to be copied: EXDEV, as overlayfs answers, makes mv(1) do that. */
  rename(from: string, to: string): Promise<Answer<undefined>> {
    return this.#change({ op: 'rename', path: from, to }, async () => {
      const found = await this.#find(from);
      if (!found.ok) return found.errno;
      if (found.value.kind === 'directory') {
        if (!found.value.covers) return 'EXDEV';
        const there = await this.names(to);
        if (there.ok && there.value.length > 0) return 'ENOTEMPTY';
      }
      for (const [path, node] of [...this.#nodes]) {
        if (!path.startsWith(`${from}/`)) continue;
        this.#nodes.delete(path);
        this.#nodes.set(to + path.slice(from.length), node);
      }
      this.#nodes.set(to, found.value);
      return this.#remove(from);
    });
  }

  chmod(path: string, mode: number): Promise<Answer<undefined>> {
    return this.#change({ op: 'chmod', path }, () => this.#describe(path, { mode: mode & 0o7777 }));
  }

  /** 4294967295 leaves an owner as it is (`man 2 chown`). */
  chown(path: string, uid: number, gid: number): Promise<Answer<undefined>> {
    const keep = 0xffffffff;
    return this.#change({ op: 'chown', path }, () =>
      this.#describe(path, { ...(uid === keep ? {} : { uid }), ...(gid === keep ? {} : { gid }) }),
    );
  }

  utimens(path: string, modifiedAt: number): Promise<Answer<undefined>> {
    return this.#change({ op: 'utimens', path }, () => this.#describe(path, { modifiedAt }));
  }

  /** One change after the other; what is refused (an errno's name) is not recorded. */
  #change(change: Change, apply: () => Promise<string | undefined>): Promise<Answer<undefined>> {
    const done = this.#last.then(async () => {
      const errno = await apply();
      if (errno !== undefined) return refused(errno);
      this.#options.record(change);
      return answered(undefined);
    });
    this.#last = done;
    return done;
  }

  async #contents(path: string, edit: (old: Buffer) => Buffer, size: number): Promise<string | undefined> {
    if (size > maxFileBytes) return 'EFBIG';
    const found = await this.#find(path);
    if (!found.ok) return found.errno;
    if (found.value.kind === 'directory') return 'EISDIR';
    const { base, attributes } = found.value;
    let old = found.value.bytes;
    if (old === undefined) {
      if (base !== undefined && base.size > maxFileBytes) return 'EFBIG';
      old = Buffer.alloc(base?.size ?? 0);
      const read = base === undefined ? answered(0) : await this.#options.lower.read(base, old, 0);
      if (!read.ok) return read.errno;
    }
    const bytes = edit(old);
    const changed = { ...attributes, size: bytes.byteLength, modifiedAt: this.#options.now() };
    this.#nodes.set(path, { kind: 'file', attributes: changed, base: undefined, bytes });
    return undefined;
  }

  async #describe(path: string, more: Partial<Attributes>): Promise<string | undefined> {
    const found = await this.#find(path);
    if (!found.ok) return found.errno;
    this.#nodes.set(path, { ...found.value, attributes: { ...found.value.attributes, ...more } });
    return undefined;
  }

  async #remove(path: string): Promise<string | undefined> {
    const below = await this.#options.lower.entry(path);
    if (!below.ok && below.errno !== 'ENOENT') return below.errno;
    if (below.ok) this.#nodes.set(path, { kind: 'gone' });
    else this.#nodes.delete(path);
    return undefined;
  }

  async #find(path: string): Promise<Answer<Exclude<Node, { kind: 'gone' }>>> {
    const node = this.#nodes.get(path);
    if (node !== undefined) return node.kind === 'gone' ? refused('ENOENT') : answered(node);
    if (path !== '/' && this.#isCovered(parentOf(path))) return refused('ENOENT');
    const below = await this.#options.lower.entry(path);
    if (!below.ok) return below;
    return answered(this.#fromBelow(below.value));
  }

  #fromBelow(entry: Entry): Exclude<Node, { kind: 'gone' }> {
    if (entry.kind === 'directory') {
      return { kind: 'directory', covers: false, attributes: this.#fresh('directory', defaultMode, this.#startedAt) };
    }
    const { size, modifiedAt } = entry;
    const attributes = { ...this.#fresh('file', defaultMode, modifiedAt), size };
    return { kind: 'file', attributes, base: entry, bytes: undefined };
  }

  #fresh(kind: Attributes['kind'], mode: number, modifiedAt = this.#options.now()): Attributes {
    return { kind, mode: mode & 0o7777, uid: 0, gid: 0, size: kind === 'directory' ? 4096 : 0, modifiedAt };
  }

  /** Whether the path or a directory above it hides what lies below. */
  #isCovered(path: string): boolean {
    if (this.#nodes.size === 0) return false;
    for (let at = path; at !== '/'; at = parentOf(at)) {
      const node = this.#nodes.get(at);
      if (node !== undefined && (node.kind !== 'directory' || node.covers)) return true;
    }
    return false;
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
