import type { DeviceId } from '../../engine/model.ts';
import type { FuseConnection } from './connection.ts';

/** A file or directory of a file system, as far as the kernel has it in its cache; all of it unless the file system is FUSE. */
export class Dentry {
  readonly filesystem: Filesystem;
  readonly parent: Dentry | undefined;
  readonly name: string;
  /** Path below the root of the file system, beginning with a slash. */
  readonly path: string;
  readonly children = new Map<string, Dentry>();
  /** Milliseconds of the modelled clock until when a name of a FUSE file system may be used without asking. */
  validUntil = Number.POSITIVE_INFINITY;
  /** Whether the name is gone, although something still uses the file. */
  isDeleted = false;

  constructor(filesystem: Filesystem, name = '', parent?: Dentry) {
    this.filesystem = filesystem;
    this.name = name;
    this.parent = parent;
    this.path = parent === undefined ? '/' : `${parent.path === '/' ? '' : parent.path}/${name}`;
  }

  isWithin(directory: Dentry): boolean {
    for (let at: Dentry | undefined = this; at !== undefined; at = at.parent) if (at === directory) return true;
    return false;
  }

  /** Whether it or a directory above it is gone: nothing can be mounted there any more. */
  get isUnreachable(): boolean {
    return this.isDeleted || (this.parent?.isUnreachable ?? false);
  }

  remove(): void {
    this.parent?.children.delete(this.name);
    this.isDeleted = true;
  }

  /** The child of that name, which is made if it is missing. */
  child(name: string): Dentry {
    let child = this.children.get(name);
    if (child === undefined) {
      child = new Dentry(this.filesystem, name, this);
      this.children.set(name, child);
    }
    return child;
  }
}

export interface FilesystemFacts {
  readonly device: DeviceId;
  readonly fstype: string;
  readonly source: string;
  readonly superOptions?: string;
  readonly connection?: FuseConnection;
}

/** A superblock. */
export class Filesystem {
  readonly device: DeviceId;
  readonly fstype: string;
  readonly source: string;
  superOptions: string;
  readonly connection: FuseConnection | undefined;
  readonly root: Dentry;

  constructor(facts: FilesystemFacts) {
    this.device = facts.device;
    this.fstype = facts.fstype;
    this.source = facts.source;
    this.superOptions = facts.superOptions ?? 'rw';
    this.connection = facts.connection;
    this.root = new Dentry(this);
  }
}

/** Mounts that receive each other's mount events, and those that receive only. */
export class PeerGroup {
  readonly id: number;
  readonly members = new Set<VfsMount>();
  readonly slaves = new Set<VfsMount>();

  constructor(id: number) {
    this.id = id;
  }
}

export interface MountNamespace {
  /** `mnt:[<inode>]`. */
  readonly inode: number;
  /** The hidden root of the namespace, on which `/` is mounted; of an anonymous one the root of a detached tree. */
  root: VfsMount;
  /** Of a detached tree (`open_tree`). */
  readonly isAnonymous: boolean;
  /** The user namespace that owns it; 0 is the agent's. */
  readonly owner: number;
  /** Of a detached tree: the namespace of which it is a copy. Only processes in that may copy it or attach something to it. */
  readonly origin?: MountNamespace;
}

const lockable = ['ro', 'nosuid', 'nodev', 'noexec'];

/** One mount. It is in no namespace before it is attached and after it was unmounted. */
export class VfsMount {
  /** The id in mountinfo, which is given again once nothing uses the mount. */
  readonly id: number;
  /** Orders the mounts of a table: by their creation, before Linux 6.8 by their attachment. */
  serial: number;
  readonly filesystem: Filesystem;
  readonly root: Dentry;
  /** Per-mount options as mountinfo prints them, `ro` if it is read-only. */
  options: ReadonlySet<string>;
  parent: VfsMount | undefined;
  mountpoint: Dentry | undefined;
  readonly children = new Set<VfsMount>();
  namespace: MountNamespace | undefined;
  group: PeerGroup | undefined;
  master: PeerGroup | undefined;
  isUnbindable = false;
  /** Inherited into a user namespace with fewer rights: it can neither be unmounted nor have a mount beneath it. */
  isLocked = false;
  /** Options that may not be changed, because it was inherited into a user namespace: `ro`, `nosuid`, `nodev`, `noexec`, `atime`. */
  lockedOptions: ReadonlySet<string> = new Set();

  constructor(id: number, serial: number, root: Dentry, options: Iterable<string>) {
    this.id = id;
    this.serial = serial;
    this.filesystem = root.filesystem;
    this.root = root;
    this.options = new Set(options);
  }

  /** The mount on a directory of this one. */
  on(mountpoint: Dentry): VfsMount | undefined {
    for (const child of this.children) if (child.mountpoint === mountpoint) return child;
    return undefined;
  }

  /** The mount that covers this one, its cover and so on. */
  get topmost(): VfsMount {
    const cover = this.on(this.root);
    return cover === undefined ? this : cover.topmost;
  }

  /** This mount and all those in and on it, parents first. */
  tree(found: VfsMount[] = []): readonly VfsMount[] {
    found.push(this);
    for (const child of this.children) child.tree(found);
    return found;
  }

  isWithin(mount: VfsMount): boolean {
    for (let at: VfsMount | undefined = this; at !== undefined; at = at.parent) if (at === mount) return true;
    return false;
  }

  putOn(parent: VfsMount, mountpoint: Dentry): void {
    this.parent?.children.delete(this);
    this.parent = parent;
    this.mountpoint = mountpoint;
    parent.children.add(this);
  }

  /** Locks what a user namespace inherits (`lock_mnt_tree`): options of the whole tree, and the mounts in it at their places. */
  lockTree(): void {
    for (const mount of this.tree()) {
      mount.lockedOptions = new Set(['atime', ...lockable.filter((option) => mount.options.has(option))]);
      if (mount !== this) mount.isLocked = true;
    }
  }

  /** Whether it may get these options. */
  allows(options: ReadonlySet<string>): boolean {
    const isSame = (option: string) => options.has(option) === this.options.has(option);
    return [...this.lockedOptions].every((option) =>
      option === 'atime' ? ['noatime', 'nodiratime', 'relatime'].every(isSame) : options.has(option),
    );
  }

  disconnect(): void {
    this.parent?.children.delete(this);
    this.parent = undefined;
    this.mountpoint = undefined;
  }
}

/** A mount and a file in it, to which a path leads. */
export interface VfsPath {
  readonly mount: VfsMount;
  readonly dentry: Dentry;
}

export const isRoot = ({ mount, dentry }: VfsPath): boolean => dentry === mount.root;

/** The topmost mount at a path. */
export function followDown(path: VfsPath): VfsPath {
  const cover = path.mount.on(path.dentry);
  return cover === undefined ? path : followDown({ mount: cover, dentry: cover.root });
}
