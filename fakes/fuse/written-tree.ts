import { type FileNode, fail, type ReadOnlyTree, succeed, type TreeNode, type TreeResult } from './tree.ts';

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

/** An accepted change. */
export interface AcceptedChange {
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
  readonly lower: ReadOnlyTree;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onChange: (change: AcceptedChange) => void;
}

type Node =
  | { readonly kind: 'deleted' }
  /** `opaque`: entries of the lower tree are hidden. */
  | { readonly kind: 'directory'; readonly opaque: boolean; readonly attributes: Attributes }
  /** `bytes`: the contents if they were changed; otherwise they are those of `base`. */
  | {
      readonly kind: 'file';
      readonly attributes: Attributes;
      readonly base: FileNode | undefined;
      readonly bytes: Buffer | undefined;
    };

const defaultMode = 0o775;
const maxFileBytes = 16 * 1024 * 1024;

/**
 * A writable in-memory layer over a read-only tree, which reports each change. It accepts all writes, so that only the mounts prevent
 * writing, which is what the scenarios test.
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

  async attributes(path: string): Promise<TreeResult<Attributes>> {
    const node = await this.#find(path);
    return node.ok ? succeed(node.value.attributes) : node;
  }

  async names(path: string): Promise<TreeResult<readonly string[]>> {
    const names = new Set<string>();
    if (!this.#isHidden(path)) {
      const lower = await this.#options.lower.directory(path);
      if (!lower.ok && this.#nodes.get(path)?.kind !== 'directory') return lower;
      if (lower.ok) for (const name of lower.value.keys()) names.add(name);
    }
    for (const [child, { kind }] of this.#nodes) {
      if (child === '/' || parentOf(child) !== path) continue;
      if (kind === 'deleted') names.delete(nameOf(child));
      else names.add(nameOf(child));
    }
    return succeed([...names]);
  }

  async read(path: string, into: Buffer, offset: number): Promise<TreeResult<number>> {
    const found = await this.#find(path);
    if (!found.ok) return found;
    if (found.value.kind === 'directory') return fail('EISDIR');
    const { bytes, base } = found.value;
    if (bytes !== undefined) return succeed(bytes.copy(into, 0, Math.min(offset, bytes.byteLength)));
    return base === undefined ? succeed(0) : this.#options.lower.read(base, into, offset);
  }

  create(path: string, mode: number): Promise<TreeResult<undefined>> {
    return this.#change({ op: 'create', path }, async () => {
      this.#nodes.set(path, {
        kind: 'file',
        attributes: this.#newAttributes('file', mode),
        base: undefined,
        bytes: Buffer.alloc(0),
      });
      return undefined;
    });
  }

  mkdir(path: string, mode: number): Promise<TreeResult<undefined>> {
    return this.#change({ op: 'mkdir', path }, async () => {
      this.#nodes.set(path, { kind: 'directory', opaque: true, attributes: this.#newAttributes('directory', mode) });
      return undefined;
    });
  }

  write(path: string, from: Buffer, offset: number): Promise<TreeResult<undefined>> {
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

  truncate(path: string, size: number): Promise<TreeResult<undefined>> {
    return this.#change({ op: 'truncate', path, bytes: size }, () =>
      this.#contents(path, (old) => Buffer.concat([old], size), size),
    );
  }

  unlink(path: string): Promise<TreeResult<undefined>> {
    return this.#change({ op: 'unlink', path }, async () => this.#remove(path));
  }

  rmdir(path: string): Promise<TreeResult<undefined>> {
    return this.#change({ op: 'rmdir', path }, async () => {
      const names = await this.names(path);
      if (!names.ok) return names.errno;
      return names.value.length > 0 ? 'ENOTEMPTY' : this.#remove(path);
    });
  }

  /** A directory of the lower tree cannot be moved. EXDEV, as with overlayfs, makes mv(1) copy it. */
  rename(from: string, to: string): Promise<TreeResult<undefined>> {
    return this.#change({ op: 'rename', path: from, to }, async () => {
      const found = await this.#find(from);
      if (!found.ok) return found.errno;
      if (found.value.kind === 'directory') {
        if (!found.value.opaque) return 'EXDEV';
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

  chmod(path: string, mode: number): Promise<TreeResult<undefined>> {
    return this.#change({ op: 'chmod', path }, () => this.#setAttributes(path, { mode: mode & 0o7777 }));
  }

  /** 4294967295 means no change (`man 2 chown`). */
  chown(path: string, uid: number, gid: number): Promise<TreeResult<undefined>> {
    const unchanged = 0xffffffff;
    return this.#change({ op: 'chown', path }, () =>
      this.#setAttributes(path, { ...(uid === unchanged ? {} : { uid }), ...(gid === unchanged ? {} : { gid }) }),
    );
  }

  utimens(path: string, modifiedAt: number): Promise<TreeResult<undefined>> {
    return this.#change({ op: 'utimens', path }, () => this.#setAttributes(path, { modifiedAt }));
  }

  /** Applies changes one after the other. Those that fail with an errno are not reported. */
  #change(change: AcceptedChange, apply: () => Promise<string | undefined>): Promise<TreeResult<undefined>> {
    const done = this.#last.then(async () => {
      const errno = await apply();
      if (errno !== undefined) return fail(errno);
      this.#options.onChange(change);
      return succeed(undefined);
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
      const read = base === undefined ? succeed(0) : await this.#options.lower.read(base, old, 0);
      if (!read.ok) return read.errno;
    }
    const bytes = edit(old);
    const changed = { ...attributes, size: bytes.byteLength, modifiedAt: this.#options.now() };
    this.#nodes.set(path, { kind: 'file', attributes: changed, base: undefined, bytes });
    return undefined;
  }

  async #setAttributes(path: string, more: Partial<Attributes>): Promise<string | undefined> {
    const found = await this.#find(path);
    if (!found.ok) return found.errno;
    this.#nodes.set(path, { ...found.value, attributes: { ...found.value.attributes, ...more } });
    return undefined;
  }

  async #remove(path: string): Promise<string | undefined> {
    const lower = await this.#options.lower.entry(path);
    if (!lower.ok && lower.errno !== 'ENOENT') return lower.errno;
    if (lower.ok) this.#nodes.set(path, { kind: 'deleted' });
    else this.#nodes.delete(path);
    return undefined;
  }

  async #find(path: string): Promise<TreeResult<Exclude<Node, { kind: 'deleted' }>>> {
    const node = this.#nodes.get(path);
    if (node !== undefined) return node.kind === 'deleted' ? fail('ENOENT') : succeed(node);
    if (path !== '/' && this.#isHidden(parentOf(path))) return fail('ENOENT');
    const lower = await this.#options.lower.entry(path);
    if (!lower.ok) return lower;
    return succeed(this.#fromLower(lower.value));
  }

  #fromLower(entry: TreeNode): Exclude<Node, { kind: 'deleted' }> {
    if (entry.kind === 'directory') {
      return {
        kind: 'directory',
        opaque: false,
        attributes: this.#newAttributes('directory', defaultMode, this.#startedAt),
      };
    }
    const { size, modifiedAt } = entry;
    const attributes = { ...this.#newAttributes('file', defaultMode, modifiedAt), size };
    return { kind: 'file', attributes, base: entry, bytes: undefined };
  }

  #newAttributes(kind: Attributes['kind'], mode: number, modifiedAt = this.#options.now()): Attributes {
    return { kind, mode: mode & 0o7777, uid: 0, gid: 0, size: kind === 'directory' ? 4096 : 0, modifiedAt };
  }

  /** Whether the lower tree is hidden at a path. */
  #isHidden(path: string): boolean {
    if (this.#nodes.size === 0) return false;
    for (let ancestor = path; ancestor !== '/'; ancestor = parentOf(ancestor)) {
      const node = this.#nodes.get(ancestor);
      if (node !== undefined && (node.kind !== 'directory' || node.opaque)) return true;
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
