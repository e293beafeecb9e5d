import type { ListedObject } from '../store/s3-client.ts';

/** The result of a file system operation. `errno` by name: `ENOENT`, `EIO` ... */
export type TreeResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errno: string };

export function succeed<T>(value: T): TreeResult<T> {
  return { ok: true, value };
}

export function fail(errno: string): TreeResult<never> {
  return { ok: false, errno };
}

export interface FileNode {
  readonly kind: 'file';
  readonly key: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  readonly etag: string;
}

export interface DirectoryNode {
  readonly kind: 'directory';
}

export type TreeNode = FileNode | DirectoryNode;

/** The entries of a directory by name. */
export type Directory = ReadonlyMap<string, TreeNode>;

/** Converts the listing of a prefix to a directory. If an object and a prefix have the same name, the name is a directory. */
export function toDirectory(
  prefix: string,
  { objects, prefixes }: { readonly objects: readonly ListedObject[]; readonly prefixes: readonly string[] },
): Directory {
  const entries = new Map<string, TreeNode>();
  for (const { key, size, modifiedAt, etag } of objects) {
    const name = key.slice(prefix.length);
    if (isFileName(name)) entries.set(name, { kind: 'file', key, size, modifiedAt, etag });
  }
  for (const common of prefixes) {
    const name = common.slice(prefix.length, -1);
    if (isFileName(name)) entries.set(name, { kind: 'directory' });
  }
  return entries;
}

/** Objects whose keys contain no valid file name are hidden. An empty name is the directory's own marker object. */
function isFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name) && Buffer.byteLength(name) <= 255;
}

/** A read-only tree. Paths are as in FUSE: they begin with `/`, and the root is `/`. */
export interface ReadOnlyTree {
  entry(path: string): Promise<TreeResult<TreeNode>>;
  directory(path: string): Promise<TreeResult<Directory>>;
  /** Reads into the buffer and returns the number of bytes, which is less than the buffer's size only at the end of the file. */
  read(file: FileNode, into: Buffer, offset: number): Promise<TreeResult<number>>;
}

export const emptyTree: ReadOnlyTree = {
  entry: async (path) => (path === '/' ? succeed({ kind: 'directory' }) : fail('ENOENT')),
  directory: async () => succeed(new Map()),
  read: async () => succeed(0),
};
