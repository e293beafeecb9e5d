/** Types for the part of fuse-native 2.2 that the daemon uses; the package has none. */

/** The supported operations, named as in `struct fuse_operations`. */
export const operations = [
  'init',
  'statfs',
  'getattr',
  'readdir',
  'readlink',
  'open',
  'read',
  'create',
  'write',
  'truncate',
  'unlink',
  'rename',
  'mkdir',
  'rmdir',
  'chmod',
  'chown',
  'utimens',
] as const;

export type Operation = (typeof operations)[number];

/** Takes a negative errno, or zero (for read and write the number of bytes) and the result. */
export type Respond<T extends readonly unknown[] = []> = (status: number, ...values: Partial<T>) => void;

export interface Stat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly nlink: number;
  readonly blksize: number;
  readonly blocks: number;
  /** Milliseconds since the epoch. */
  readonly mtime: number;
  readonly atime: number;
  readonly ctime: number;
}

export interface Statfs {
  readonly bsize: number;
  readonly frsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
  readonly favail: number;
  readonly fsid: number;
  readonly flag: number;
  readonly namemax: number;
}

export interface FuseOperations {
  init(respond: Respond): void;
  statfs(path: string, respond: Respond<[Statfs]>): void;
  getattr(path: string, respond: Respond<[Stat]>): void;
  readdir(path: string, respond: Respond<[readonly string[]]>): void;
  readlink(path: string, respond: Respond<[target: string]>): void;
  open(path: string, flags: number, respond: Respond<[handle: number]>): void;
  /** `into` is the kernel's memory and must not be accessed after responding. */
  read(path: string, handle: number, into: Buffer, length: number, offset: number, respond: Respond): void;
  create(path: string, mode: number, respond: Respond<[handle: number]>): void;
  write(path: string, handle: number, from: Buffer, length: number, offset: number, respond: Respond): void;
  truncate(path: string, size: number, respond: Respond): void;
  unlink(path: string, respond: Respond): void;
  rename(from: string, to: string, respond: Respond): void;
  mkdir(path: string, mode: number, respond: Respond): void;
  rmdir(path: string, respond: Respond): void;
  chmod(path: string, mode: number, respond: Respond): void;
  chown(path: string, uid: number, gid: number, respond: Respond): void;
  utimens(path: string, atime: number, mtime: number, respond: Respond): void;
}

export interface FuseOptions {
  /** Operations that are not answered hang. */
  readonly timeout: false;
  readonly allowOther: boolean;
  readonly fsname: string;
  readonly subtype: string;
  /** Seconds, as a string, because fuse-native ignores the number zero. */
  readonly entryTimeout?: string;
  readonly attrTimeout?: string;
}

export interface Fuse {
  /** Calls back with an error, or with null on the kernel's INIT. */
  mount(done: (error: Error | null) => void): void;
}

export type FuseConstructor = new (mountpoint: string, served: FuseOperations, options: FuseOptions) => Fuse;
