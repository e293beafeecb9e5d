import type { ListedObject } from '../store/s3-client.ts';

export interface FileEntry {
  readonly kind: 'file';
  readonly key: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  readonly etag: string;
}

export interface DirectoryEntry {
  readonly kind: 'directory';
}

export type Entry = FileEntry | DirectoryEntry;

/** Names in a directory, and what they are. */
export type Directory = ReadonlyMap<string, Entry>;

/** What a filesystem can make of the names directly below a prefix: a name is a directory where anything lies below it. */
export function directoryOf(
  prefix: string,
  { objects, prefixes }: { readonly objects: readonly ListedObject[]; readonly prefixes: readonly string[] },
): Directory {
  const entries = new Map<string, Entry>();
  for (const { key, size, modifiedAt, etag } of objects) {
    const name = key.slice(prefix.length);
    if (isName(name)) entries.set(name, { kind: 'file', key, size, modifiedAt, etag });
  }
  for (const common of prefixes) {
    const name = common.slice(prefix.length, -1);
    if (isName(name)) entries.set(name, { kind: 'directory' });
  }
  return entries;
}

/** Keys may hold what no file name can: such objects are not shown. The empty name is the directory's own marker object. */
function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name) && Buffer.byteLength(name) <= 255;
}
