import type { DeviceId, Mount } from '../engine/model.ts';

/** A mount table by id and by parent, made once for all that is asked of it. */
export interface MountTree {
  readonly mounts: readonly Mount[];
  readonly byId: ReadonlyMap<number, Mount>;
  /** Keyed by the id of the mount that they stand on, in the order of the table. */
  readonly children: ReadonlyMap<number, readonly Mount[]>;
}

export function mountTree(mounts: readonly Mount[]): MountTree {
  const children = new Map<number, Mount[]>();
  for (const mount of mounts) {
    const siblings = children.get(mount.parentId);
    if (siblings === undefined) children.set(mount.parentId, [mount]);
    else siblings.push(mount);
  }
  return { mounts, byId: new Map(mounts.map((mount) => [mount.id, mount])), children };
}

/**
 * How the mounts that were seen at a site stand now, in a fresh table of the same namespace.
 *
 * `same`: as they were. `covered`: so, and one more mount stands on top. `changed`: some other way.
 */
export type StackState =
  | { readonly state: 'same' }
  | { readonly state: 'covered'; readonly by: Mount }
  | { readonly state: 'changed' };

export function stackState({ byId, children }: MountTree, expected: readonly Mount[]): StackState {
  let below: Mount | undefined;
  for (const layer of expected) {
    const now = byId.get(layer.id);
    if (now === undefined || !sameMount(now, layer)) return { state: 'changed' };
    if (below !== undefined && now.parentId !== below.id) return { state: 'changed' };
    below = now;
  }
  const top = below;
  if (top === undefined) return { state: 'changed' };
  const cover = children.get(top.id)?.find((mount) => mount.mountPoint === top.mountPoint);
  return cover === undefined ? { state: 'same' } : { state: 'covered', by: cover };
}

/** Ids are used again after an unmount, so what they stand for is compared too. */
function sameMount(a: Mount, b: Mount): boolean {
  return a.device === b.device && a.root === b.root && a.mountPoint === b.mountPoint;
}

/** A mount inside another one, with those inside itself. */
export interface Inner {
  readonly mount: Mount;
  /** Path from the mount that contains it, without a leading slash. */
  readonly relative: string;
  readonly inside: readonly Inner[];
}

/**
 * The mounts that stand on `top` inside its tree, in the table or remembered.
 *
 * Remembered ones that the table has no longer were dropped by the kernel when somebody walked below the dead mount. Those
 * below a lower layer of the same site are hidden, and are not `top`'s.
 */
export function innerMounts(top: Mount, tree: MountTree, remembered: readonly Mount[]): readonly Inner[] {
  const dropped = remembered.filter((mount) => !tree.byId.has(mount.id));
  const { children } = dropped.length === 0 ? tree : mountTree([...tree.mounts, ...dropped]);
  /** Of mounts stacked at one point the last is seen; what stands inside the others is hidden. */
  function seen(mount: Mount): Mount {
    const cover = children.get(mount.id)?.find((child) => child.mountPoint === mount.mountPoint);
    return cover === undefined ? mount : seen(cover);
  }
  function inside(parent: Mount): readonly Inner[] {
    return (children.get(parent.id) ?? [])
      .filter((mount) => mount.mountPoint !== parent.mountPoint)
      .map(seen)
      .map((mount) => ({ mount, relative: relativePath(parent.mountPoint, mount.mountPoint), inside: inside(mount) }));
  }
  return inside(top);
}

/** All of them and those inside, as one list; parents first. */
export function flattened(inner: readonly Inner[]): readonly Inner[] {
  return inner.flatMap((one) => [one, ...flattened(one.inside)]);
}

/** `to` as seen from the directory `from`; both absolute and resolved. Empty where they are the same. */
export function relativePath(from: string, to: string): string {
  return from === '/' ? to.slice(1) : to.slice(from.length + 1);
}

/** Where the node shows the same directory of the same filesystem: the mount that it is in, and its path. */
export function mountedElsewhere(
  { device, root }: Mount,
  node: readonly Mount[],
): { readonly mount: Mount; readonly path: string } | undefined {
  const same = node.filter((other) => other.device === device);
  const mount =
    same.find((other) => other.root === root) ?? same.find((other) => belowRoot(other.root, root) !== undefined);
  if (mount === undefined) return undefined;
  const rest = belowRoot(mount.root, root) ?? '';
  return {
    mount,
    path: rest === '' ? mount.mountPoint : `${mount.mountPoint === '/' ? '' : mount.mountPoint}/${rest}`,
  };
}

/** Where `root`, a directory of the filesystem, lies below a mount of it; undefined where it is not below. */
export function belowRoot(mountRoot: string, root: string): string | undefined {
  if (mountRoot === root) return '';
  if (mountRoot === '/') return root.slice(1);
  return root.startsWith(`${mountRoot}/`) ? root.slice(mountRoot.length + 1) : undefined;
}

/** The mount that is seen at a path of the table: the last of its stack. */
export function topMount(table: readonly Mount[], path: string, device: DeviceId): Mount | undefined {
  return table.findLast((mount) => mount.mountPoint === path && mount.device === device);
}
