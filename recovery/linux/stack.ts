import type { DeviceId, Mount } from '../engine/model.ts';

/** A mount table, indexed by id and by parent. */
export interface IndexedTable {
  readonly mounts: readonly Mount[];
  readonly byId: ReadonlyMap<number, Mount>;
  /** Keyed by parent id, in the order of the table. */
  readonly children: ReadonlyMap<number, readonly Mount[]>;
}

export function mountTree(mounts: readonly Mount[]): IndexedTable {
  const children = new Map<number, Mount[]>();
  for (const mount of mounts) {
    const siblings = children.get(mount.parentId);
    if (siblings === undefined) children.set(mount.parentId, [mount]);
    else siblings.push(mount);
  }
  return { mounts, byId: new Map(mounts.map((mount) => [mount.id, mount])), children };
}

/**
 * The state of a site's stack in a fresh mount table, compared with the snapshot.
 *
 * `same`: as in the snapshot. `covered`: the same with another mount on top. `changed`: anything else.
 */
export type StackState =
  | { readonly state: 'same' }
  | { readonly state: 'covered'; readonly by: Mount }
  | { readonly state: 'changed' };

export function stackState({ byId, children }: IndexedTable, expected: readonly Mount[]): StackState {
  let below: Mount | undefined;
  for (const layer of expected) {
    const current = byId.get(layer.id);
    if (current === undefined || !isSameMount(current, layer)) return { state: 'changed' };
    if (below !== undefined && current.parentId !== below.id) return { state: 'changed' };
    below = current;
  }
  const top = below;
  if (top === undefined) return { state: 'changed' };
  const cover = children.get(top.id)?.find((mount) => mount.mountPoint === top.mountPoint);
  return cover === undefined ? { state: 'same' } : { state: 'covered', by: cover };
}

/** The kernel reuses ids after an unmount, so the id alone is not enough. */
function isSameMount(a: Mount, b: Mount): boolean {
  return a.device === b.device && a.root === b.root && a.mountPoint === b.mountPoint;
}

/** A mount inside another one, with the mounts inside itself. */
export interface InnerMount {
  readonly mount: Mount;
  /** Path relative to the mount that contains it, without a leading slash. */
  readonly relative: string;
  readonly inside: readonly InnerMount[];
}

/**
 * The mounts inside `top`, from the table and from the snapshot.
 *
 * The kernel drops mounts below a dead one when a process walks there, so `remembered` may have some that the table lacks. Mounts
 * inside lower layers of the same site are hidden and are not included.
 */
export function innerMounts(top: Mount, tree: IndexedTable, remembered: readonly Mount[]): readonly InnerMount[] {
  const dropped = remembered.filter((mount) => !tree.byId.has(mount.id));
  // The parent of the table's root has a number, too, which a dropped mount may have had.
  const attached = tree.mounts.filter(({ parentId }) => tree.byId.has(parentId));
  const { children } = dropped.length === 0 ? tree : mountTree([...attached, ...dropped]);
  /** The topmost mount of a stack; the others and the mounts inside them are hidden. */
  function visible(mount: Mount): Mount {
    const cover = children.get(mount.id)?.find((child) => child.mountPoint === mount.mountPoint);
    return cover === undefined ? mount : visible(cover);
  }
  function inside(parent: Mount): readonly InnerMount[] {
    return (children.get(parent.id) ?? [])
      .filter((mount) => mount.mountPoint !== parent.mountPoint)
      .map(visible)
      .map((mount) => ({ mount, relative: relativePath(parent.mountPoint, mount.mountPoint), inside: inside(mount) }));
  }
  return inside(top);
}

/** All inner mounts as one list, parents before children. */
export function flattened(inner: readonly InnerMount[]): readonly InnerMount[] {
  return inner.flatMap((mount) => [mount, ...flattened(mount.inside)]);
}

/** `to` relative to the directory `from`, both absolute and resolved. Empty if they are equal. */
export function relativePath(from: string, to: string): string {
  return from === '/' ? to.slice(1) : to.slice(from.length + 1);
}

/** Other mounts of the node that contain the same directory of the same filesystem, and the directory's path there; those of just it first. */
export function mountedElsewhere(
  { device, root }: Mount,
  node: readonly Mount[],
): readonly { readonly mount: Mount; readonly path: string }[] {
  const found = node.flatMap((mount) => {
    const rest = mount.device === device ? belowRoot(mount.root, root) : undefined;
    if (rest === undefined) return [];
    const { mountPoint } = mount;
    return [{ mount, path: rest === '' ? mountPoint : `${mountPoint === '/' ? '' : mountPoint}/${rest}` }];
  });
  const isExact = ({ mount }: { readonly mount: Mount }) => mount.root === root;
  return [...found.filter(isExact), ...found.filter((each) => !isExact(each))];
}

/** Path of `root`, a directory of the filesystem, relative to a mount of it; undefined if the mount does not contain it. */
export function belowRoot(mountRoot: string, root: string): string | undefined {
  if (mountRoot === root) return '';
  if (mountRoot === '/') return root.slice(1);
  return root.startsWith(`${mountRoot}/`) ? root.slice(mountRoot.length + 1) : undefined;
}

/** The topmost mount of a device at a path. */
export function topMount(table: readonly Mount[], path: string, device: DeviceId): Mount | undefined {
  return table.findLast((mount) => mount.mountPoint === path && mount.device === device);
}
