import { type Dentry, followDown, type VfsMount, type VfsPath } from './mounts.ts';

/** A call that would wait for a FUSE daemon. The real kernel's caller would hang until the daemon answers or its connection ends. */
export class WouldBlock extends Error {
  readonly filesystem: Dentry['filesystem'];

  constructor(filesystem: Dentry['filesystem']) {
    super(`waits for the daemon of ${filesystem.source}`);
    this.filesystem = filesystem;
  }
}

export interface WalkOptions {
  /** Asks no daemon (`RESOLVE_CACHED`). */
  readonly cached?: boolean;
  /** Asks the daemon even if the name is cached (`LOOKUP_EXCL`). */
  readonly asks?: boolean;
  /** Milliseconds of the modelled clock. */
  readonly now: number;
  /** Removes the mounts on a name that has turned out to be invalid. */
  readonly dropMounts: (dentry: Dentry) => void;
}

/** Follows a path below a directory to the topmost mount of each name on it. Gives an errno if it leads nowhere. */
export function walk(from: VfsPath, path: string, options: WalkOptions): VfsPath | string {
  let at = from;
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    const child = lookUp(at.dentry, name, options);
    if (typeof child === 'string') return child;
    at = followDown({ mount: at.mount, dentry: child });
  }
  return at;
}

/** Looks a name up in a directory, and gives an errno if that fails. */
export function lookUp(directory: Dentry, name: string, options: WalkOptions): Dentry | string {
  const known = directory.children.get(name);
  const { connection } = directory.filesystem;
  // The kernel does not keep the knowledge that a name is missing.
  if (connection === undefined) return known ?? (options.cached ? 'EAGAIN' : 'ENOENT');
  if (known !== undefined && known.validUntil > options.now && !options.asks) return known;
  if (options.cached) return 'EAGAIN';
  if (connection.state === 'hung' || connection.state === 'starting') throw new WouldBlock(directory.filesystem);
  const path = directory.path === '/' ? name : `${directory.path.slice(1)}/${name}`;
  if (connection.state === 'dead' || !connection.entries.has(path)) {
    if (known !== undefined) {
      options.dropMounts(known);
      known.remove();
    }
    return connection.state === 'dead' ? connection.errno : 'ENOENT';
  }
  const child = directory.child(name);
  child.validUntil = options.now + connection.entryTimeout;
  return child;
}

/** The mounts on a directory and on those below it, wherever the file system is mounted. */
export function mountsBelow(dentry: Dentry, all: Iterable<VfsMount>): readonly VfsMount[] {
  return [...all].filter(({ mountpoint }) => mountpoint?.isWithin(dentry));
}
