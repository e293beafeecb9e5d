import type { Mount } from './model.ts';

/** The mounts that a walk to a path meets. */
export interface MountStack {
  /** Mounts at the path, bottom first; the last is the visible one. */
  readonly stack: readonly Mount[];
  /** Mounts crossed before the path is reached, from the root down. */
  readonly above: readonly Mount[];
}

/** A mount table indexed by parent and mount point, so that a path can be walked as the kernel walks it. */
export class MountTree {
  /** Mounts whose parent is not in the table: usually only `/`. */
  readonly #roots = new Map<string, Mount>();
  /** By the parent's id, then by mount point. */
  readonly #children = new Map<number, Map<string, Mount>>();

  constructor(mounts: readonly Mount[]) {
    const ids = new Set(mounts.map(({ id }) => id));
    for (const mount of mounts) {
      const { id, parentId, mountPoint } = mount;
      if (parentId === id || !ids.has(parentId)) {
        this.#roots.set(mountPoint, mount);
        continue;
      }
      const siblings = this.#children.get(parentId);
      if (siblings === undefined) this.#children.set(parentId, new Map([[mountPoint, mount]]));
      else siblings.set(mountPoint, mount);
    }
  }

  /**
   * The mounts at a path, found by walking from the root, so that mounts covered by another are left out. They are ordered by
   * parents rather than by lines of the table, because a mount attached beneath another has the higher id.
   */
  at(path: string): MountStack {
    const above: Mount[] = [];
    const stack: Mount[] = [];
    let siblings: ReadonlyMap<string, Mount> | undefined = this.#roots;
    for (const prefix of prefixes(path)) {
      for (let next = siblings?.get(prefix); next !== undefined; next = siblings?.get(prefix)) {
        (prefix === path ? stack : above).push(next);
        siblings = this.#children.get(next.id);
      }
    }
    return { stack, above };
  }

  /** The visible mount at a path. */
  top(path: string): Mount | undefined {
    return this.at(path).stack.at(-1);
  }

  /** All descendants of a mount, parents first, without those in `except` and their descendants. */
  descendants(mount: Mount, except: readonly Mount[] = []): readonly Mount[] {
    const excluded = new Set(except.map(({ id }) => id));
    const found: Mount[] = [];
    const visit = (id: number): void => {
      for (const child of this.#children.get(id)?.values() ?? []) {
        if (excluded.has(child.id)) continue;
        found.push(child);
        visit(child.id);
      }
    };
    visit(mount.id);
    return found;
  }
}

/** Whether a FUSE daemon serves the mount: `fuse`, `fuseblk` or `fuse.<subtype>`, but not `fusectl`. */
export function isFuse({ fstype }: Pick<Mount, 'fstype'>): boolean {
  return fstype === 'fuse' || fstype === 'fuseblk' || fstype.startsWith('fuse.');
}

/** An absolute path without empty, `.`, `..` and trailing components. */
export function normalizePath(path: string): string {
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
