import type { Mount, MountSite, OtherMount, Pod, Volume, VolumeMount } from './model.ts';

/** A mount site of a volume and what is mounted there. */
export interface ObservedSite {
  readonly volume: Volume;
  readonly site: MountSite;
  /** All mounts at the site, bottom first; the last is the visible one. */
  readonly stack: readonly Mount[];
  /** The mount table that contains the site. */
  readonly tree: MountTree;
  /** A FUSE mount that the path to the site crosses. */
  readonly fuseAbove?: Mount;
  /** The container's volumeMount. */
  readonly volumeMount?: VolumeMount;
  /** Mounts of other volumes that the pod's spec places below the site. */
  readonly nestedMounts: readonly OtherMount[];
  /** Another mount was attached beneath the visible one, which an agent does that replaces it. */
  readonly isHalfReplaced?: true;
  /** What two sources say if they disagree about whose the site is. */
  readonly conflict?: string;
  /** Nothing is mounted at the site, but this mount of the volume belongs to no site of the container. */
  readonly unattributed?: Mount;
}

/** The path at which CSI publishes a volume for a pod. */
export function targetPath(kubeletRoot: string, podUid: string, volume: string): string {
  return `${kubeletRoot}/pods/${podUid}/volumes/kubernetes.io~csi/${volume}/mount`;
}

/** A site as a key: equal in every snapshot for the same site, and different after the container has restarted. */
export function siteKey(site: MountSite): string {
  return site.kind === 'target' ? `target\0${site.path}` : `container\0${containerSiteOrder(site)}`;
}

/** Orders the container mounts of a volume. */
export function containerSiteOrder({
  podUid,
  container,
  path,
  mountNamespace,
}: Extract<MountSite, { kind: 'container' }>): string {
  return `${podUid}\0${container}\0${path}\0${mountNamespace}`;
}

export const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The node's mount table, indexed by path and by published volume. */
export class NodeMounts {
  readonly mounts: readonly Mount[];
  readonly kubeletRoot: string;
  readonly tree: MountTree;
  #podUids: ReadonlyMap<string, readonly string[]> | undefined;
  #subPathBinds: ReadonlyMap<string, readonly SubPathBind[]> | undefined;
  #standbyPaths: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(mounts: readonly Mount[], kubeletRoot: string) {
    this.mounts = mounts;
    this.kubeletRoot = kubeletRoot;
    this.tree = MountTree.of(mounts);
  }

  /** The paths of standbys by that of the ordinary source mount. */
  get standbyPaths(): ReadonlyMap<string, readonly string[]> {
    this.#standbyPaths ??= standbyPaths(this.mounts);
    return this.#standbyPaths;
  }

  /** The target paths of a volume: those that have a mount, and those of the pods that use the volume. */
  sites(volume: Volume, pods: Iterable<Pod>): readonly ObservedSite[] {
    this.#podUids ??= podUidsByVolume(this.mounts, this.kubeletRoot);
    const uids = new Set(this.#podUids.get(volume.name));
    for (const pod of pods) if (pod.volumes.includes(volume.name)) uids.add(pod.uid);
    return [...uids].sort(byText).map((podUid) => {
      const path = targetPath(this.kubeletRoot, podUid, volume.name);
      return observe(this.tree, { volume, site: { kind: 'target', podUid, path }, nestedMounts: [] });
    });
  }

  /** The paths from which containers of a volume's pods start that mount a directory of it. */
  subPathSites(volume: Volume): readonly ObservedSite[] {
    this.#subPathBinds ??= subPathBinds(this.mounts, this.kubeletRoot);
    return (this.#subPathBinds.get(volume.name) ?? []).map(({ podUid, container, path }) => {
      const site = { kind: 'target', podUid, path, subPathOf: container } as const;
      return observe(this.tree, { volume, site, nestedMounts: [] });
    });
  }
}

/** Where the kubelet has bound a directory of a volume for a container (kubernetes, `pkg/volume/util/subpath`). */
interface SubPathBind {
  readonly podUid: string;
  readonly container: string;
  readonly path: string;
}

/** By volume name. */
function subPathBinds(mounts: readonly Mount[], kubeletRoot: string): ReadonlyMap<string, readonly SubPathBind[]> {
  const found = new Map<string, Map<string, SubPathBind>>();
  const prefix = `${kubeletRoot}/pods/`;
  for (const { mountPoint: path } of mounts) {
    if (!path.startsWith(prefix)) continue;
    const [podUid, directory, volume, container, index, ...rest] = path.slice(prefix.length).split('/');
    if (directory !== 'volume-subpaths' || index === undefined || rest.length > 0) continue;
    if (podUid === undefined || volume === undefined || container === undefined) continue;
    const known = found.get(volume) ?? new Map();
    found.set(volume, known.set(path, { podUid, container, path }));
  }
  return new Map([...found].map(([volume, binds]) => [volume, [...binds.values()]]));
}

/** Pod UIDs of all target paths that have a mount, by volume name. A target path is matched as a whole. */
function podUidsByVolume(mounts: readonly Mount[], kubeletRoot: string): ReadonlyMap<string, readonly string[]> {
  const uids = new Map<string, string[]>();
  const prefix = `${kubeletRoot}/pods/`;
  for (const { mountPoint } of mounts) {
    if (!mountPoint.startsWith(prefix)) continue;
    const [uid, volumes, plugin, name, mount, ...rest] = mountPoint.slice(prefix.length).split('/');
    if (volumes !== 'volumes' || plugin !== 'kubernetes.io~csi' || mount !== 'mount' || rest.length > 0) continue;
    if (uid === undefined || uid === '' || name === undefined) continue;
    const known = uids.get(name);
    if (known === undefined) uids.set(name, [uid]);
    else known.push(uid);
  }
  return uids;
}

const standbyPath = /^(.*)\/standby-(\d+)(\/[^/]+)$/;

/** The paths in a mount table that have the form of a standby's, by the path of the ordinary source mount. */
export function standbyPaths(mounts: readonly Pick<Mount, 'mountPoint'>[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, { readonly path: string; readonly number: number }[]>();
  for (const { mountPoint: path } of mounts) {
    const [, directory, number, name] = (path.includes('/standby-') && standbyPath.exec(path)) || [];
    if (directory === undefined) continue;
    const known = found.get(`${directory}${name}`) ?? [];
    if (!known.some((each) => each.path === path)) known.push({ path, number: Number(number) });
    found.set(`${directory}${name}`, known);
  }
  return new Map(
    [...found].map(([source, paths]) => [source, paths.sort((a, b) => a.number - b.number).map(({ path }) => path)]),
  );
}

export function observe(
  tree: MountTree,
  facts: Pick<ObservedSite, 'volume' | 'site' | 'volumeMount' | 'nestedMounts' | 'unattributed'>,
): ObservedSite {
  const { stack, above } = tree.at(facts.site.path);
  const fuseAbove = above.findLast(isFuse);
  return {
    ...{ ...facts, stack, tree },
    ...(fuseAbove === undefined ? {} : { fuseAbove }),
    ...(tree.isHalfReplaced(stack) ? { isHalfReplaced: true } : {}),
  };
}

/** The mounts that a walk to a path meets. */
export interface MountStack {
  /** Mounts at the path, bottom first; the last is the visible one. */
  readonly stack: readonly Mount[];
  /** Mounts crossed before the path is reached, from the root down. */
  readonly above: readonly Mount[];
}

/** A mount table indexed by parent and mount point, so that a path can be walked as the kernel walks it. */
export class MountTree {
  static readonly #known = new WeakMap<readonly Mount[], MountTree>();

  /** The tree of a table, which is built once however many publishes and passes ask for it. */
  static of(table: readonly Mount[]): MountTree {
    const known = MountTree.#known.get(table) ?? new MountTree(table);
    MountTree.#known.set(table, known);
    return known;
  }

  /** Mounts whose parent is not in the table: usually only `/`. */
  readonly #roots = new Map<string, Mount>();
  /** By the parent's id, then by mount point. */
  readonly #children = new Map<number, Map<string, Mount>>();
  readonly #mounts: readonly Mount[];

  constructor(mounts: readonly Mount[]) {
    this.#mounts = mounts;
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

  /**
   * Whether the mount below the last one of a stack was attached beneath it. The kernel lists mounts in the order in which they were made,
   * so that one which covers another comes after it unless the other was attached later.
   */
  isHalfReplaced(stack: readonly Mount[]): boolean {
    const [beneath, top] = stack.slice(-2);
    return top !== undefined && beneath !== undefined && this.#mounts.indexOf(top) < this.#mounts.indexOf(beneath);
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

/**
 * Whether a FUSE daemon serves the mount: `fuse`, `fuseblk`, or the name of another FUSE module such as Alibaba Cloud's `alifuse`, each
 * with or without a subtype (`fuse.jindofs-fuse`), but not `fusectl`.
 */
export function isFuse({ fstype }: Pick<Mount, 'fstype'>): boolean {
  return /^[a-z]*fuse(blk)?(\.|$)/.test(fstype);
}

/** Filesystems that a node has without any daemon: of its disks and images, in memory, and the kernel's own. */
const localTypes =
  /^(tmpfs|rootfs|devtmpfs|overlay|aufs|ext[234]|xfs|btrfs|zfs|bcachefs|f2fs|vfat|squashfs|erofs|iso9660|autofs|proc|sysfs|devpts|cgroup2?|fusectl)$/;

/**
 * Whether a mount may be a volume's source: of a FUSE daemon, or of a client in the kernel (NFS, CephFS, Lustre and others), which no daemon's end
 * breaks and which reconnects by itself. Such mounts are published, and otherwise left alone.
 */
export function mayBeSource(mount: Pick<Mount, 'fstype'>): boolean {
  return isFuse(mount) || !localTypes.test(mount.fstype);
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
