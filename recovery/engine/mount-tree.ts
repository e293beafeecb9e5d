import type { Mount } from './model.ts';

/** A mount table by parent and mount point, so that a path can be walked as the kernel walks it. */
export interface MountTree {
  /** Mounts whose parent the table does not show: `/`, as a rule. */
  readonly roots: ReadonlyMap<string, Mount>;
  /** By the parent's id, then by mount point. */
  readonly children: ReadonlyMap<number, ReadonlyMap<string, Mount>>;
}

/** What a walk to a path meets. */
export interface Standing {
  /** Mounts at the path, bottom first; the last is the one that is seen. */
  readonly stack: readonly Mount[];
  /** Mounts crossed before the path is reached, from the root down. */
  readonly above: readonly Mount[];
}

const trees = new WeakMap<readonly Mount[], MountTree>();

/** Index of a mount table; made once for each table. */
export function mountTree(mounts: readonly Mount[]): MountTree {
  const known = trees.get(mounts);
  if (known !== undefined) return known;
  const ids = new Set(mounts.map(({ id }) => id));
  const roots = new Map<string, Mount>();
  const children = new Map<number, Map<string, Mount>>();
  for (const mount of mounts) {
    const { id, parentId, mountPoint } = mount;
    if (parentId === id || !ids.has(parentId)) {
      roots.set(mountPoint, mount);
      continue;
    }
    const siblings = children.get(parentId);
    if (siblings === undefined) children.set(parentId, new Map([[mountPoint, mount]]));
    else siblings.set(mountPoint, mount);
  }
  const tree = { roots, children };
  trees.set(mounts, tree);
  return tree;
}

/**
 * The mounts at a path, found by walking from the root: what another mount covers is not there. The order is that of parents
 * and not of lines, because a mount attached beneath another has the higher id.
 */
export function standingAt(mounts: readonly Mount[], path: string): Standing {
  const { roots, children } = mountTree(mounts);
  const above: Mount[] = [];
  const stack: Mount[] = [];
  let inside: ReadonlyMap<string, Mount> | undefined = roots;
  for (const prefix of prefixes(path)) {
    for (let next = inside?.get(prefix); next !== undefined; next = inside?.get(prefix)) {
      (prefix === path ? stack : above).push(next);
      inside = children.get(next.id);
    }
  }
  return { stack, above };
}

/** All mounts that stand on one mount, at its root or deeper, parents first; those at `except` and on them are left out. */
export function mountsOn(mounts: readonly Mount[], mount: Mount, except: readonly Mount[] = []): readonly Mount[] {
  const { children } = mountTree(mounts);
  const left = new Set(except.map(({ id }) => id));
  const found: Mount[] = [];
  const walk = (id: number): void => {
    for (const child of children.get(id)?.values() ?? []) {
      if (left.has(child.id)) continue;
      found.push(child);
      walk(child.id);
    }
  };
  walk(mount.id);
  return found;
}

/** Whether a daemon serves it: `fuse`, `fuseblk`, `fuse.<subtype>`; fusectl is none. */
export function isFuse({ fstype }: Pick<Mount, 'fstype'>): boolean {
  return fstype === 'fuse' || fstype === 'fuseblk' || fstype.startsWith('fuse.');
}

/** An absolute path without empty, `.` and trailing components. */
export function plainPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** `/`, `/a`, `/a/b` for `/a/b`. */
function prefixes(path: string): readonly string[] {
  const found = ['/'];
  for (let at = path.indexOf('/', 1); at !== -1; at = path.indexOf('/', at + 1)) found.push(path.slice(0, at));
  if (path !== '/') found.push(path);
  return found;
}
