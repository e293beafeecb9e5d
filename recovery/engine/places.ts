import type { Container, DeviceId, Mount, MountSite, NodeView, OtherMount, Pod, Volume, VolumeMount } from './model.ts';
import { isFuse, plainPath, standingAt } from './mount-tree.ts';

const uids = new WeakMap<readonly Pod[], ReadonlyMap<string, Pod>>();

/** The pod with a UID. */
export function podOf(pods: readonly Pod[], uid: string): Pod | undefined {
  const known = uids.get(pods);
  if (known !== undefined) return known.get(uid);
  const made = new Map(pods.map((pod) => [pod.uid, pod]));
  uids.set(pods, made);
  return made.get(uid);
}

/** The part of a view that sites are found in. */
export type Tables = Pick<NodeView, 'kubeletRoot' | 'mounts' | 'containers' | 'volumes' | 'pods'>;

/** A site of a volume and what stands there. */
export interface Spot {
  readonly volume: Volume;
  readonly site: MountSite;
  readonly stack: readonly Mount[];
  /** The mount table that the site is in. */
  readonly mounts: readonly Mount[];
  /** FUSE mount that the way to the site leads through. */
  readonly fuseAbove?: Mount;
  /** The container's volumeMount. */
  readonly volumeMount?: VolumeMount;
  /** What the pod's spec has mounted below the site. */
  readonly others: readonly OtherMount[];
}

/**
 * Every site of a volume, targets first, in a fixed order. A target path is matched as a whole, a container's mount by the
 * pod's spec and the container's own mount table: names are never joined, so volumes whose names could be confused are not.
 */
export function spotsOf(tables: Tables, volume: Volume): readonly Spot[] {
  const { mounts, containers, pods, kubeletRoot } = tables;
  let found = spots.get(containers);
  if (found?.mounts !== mounts || found.pods !== pods || found.kubeletRoot !== kubeletRoot) {
    found = { mounts, pods, kubeletRoot, of: new Map() };
    spots.set(containers, found);
  }
  const known = found.of.get(volume);
  if (known !== undefined) return known;
  const made = [...targetSpots(tables, volume), ...containerSpots(tables, volume)];
  found.of.set(volume, made);
  return made;
}

/** A pass asks for the same sites when it asks, when it views and when it diagnoses. */
const spots = new WeakMap<
  readonly Container[],
  Pick<Tables, 'mounts' | 'pods' | 'kubeletRoot'> & { readonly of: Map<Volume, readonly Spot[]> }
>();

/** The sites of a volume on the node alone. */
export function targetSpots(tables: Tables, volume: Volume): readonly Spot[] {
  const { mounts, kubeletRoot, pods } = tables;
  const uids = new Set(targetsIn(mounts, kubeletRoot).get(volume.name));
  for (const pod of pods) if (pod.volumes.includes(volume.name)) uids.add(pod.uid);
  return [...uids].sort(byText).map((podUid) => {
    const path = targetPath(kubeletRoot, podUid, volume.name);
    return spot(mounts, { volume, site: { kind: 'target', podUid, path } });
  });
}

/** Where CSI publishes a volume for a pod. */
export function targetPath(kubeletRoot: string, podUid: string, volume: string): string {
  return `${kubeletRoot}/pods/${podUid}/volumes/kubernetes.io~csi/${volume}/mount`;
}

const targets = new WeakMap<readonly Mount[], { readonly root: string; readonly uids: Map<string, string[]> }>();

/** Pod UIDs by volume name, of all target paths that something is mounted at; made once for each table. */
function targetsIn(mounts: readonly Mount[], kubeletRoot: string): ReadonlyMap<string, readonly string[]> {
  const known = targets.get(mounts);
  if (known?.root === kubeletRoot) return known.uids;
  const uids = new Map<string, string[]>();
  const prefix = `${kubeletRoot}/pods/`;
  for (const { mountPoint } of mounts) {
    if (!mountPoint.startsWith(prefix)) continue;
    const [uid, volumes, plugin, name, mount, ...rest] = mountPoint.slice(prefix.length).split('/');
    if (volumes !== 'volumes' || plugin !== 'kubernetes.io~csi' || mount !== 'mount' || rest.length > 0) continue;
    if (uid === undefined || uid === '' || name === undefined) continue;
    const listed = uids.get(name);
    if (listed === undefined) uids.set(name, [uid]);
    else listed.push(uid);
  }
  targets.set(mounts, { root: kubeletRoot, uids });
  return uids;
}

function containerSpots(tables: Tables, volume: Volume): readonly Spot[] {
  const pods = new Map(tables.pods.filter((pod) => pod.volumes.includes(volume.name)).map((pod) => [pod.uid, pod]));
  return tables.containers
    .flatMap((container) => {
      const pod = pods.get(container.podUid);
      return pod === undefined ? [] : spotsIn(tables, volume, pod, container);
    })
    .sort((a, b) => byText(a.order, b.order))
    .map(({ spot }) => spot);
}

interface Ordered {
  readonly spot: Spot;
  readonly order: string;
}

/** A crash changes nothing in a container's own table, and hundreds of them wait for what is found here. */
const inside = new WeakMap<
  Container,
  { readonly volume: Volume; readonly pod: Pod; readonly spots: readonly Ordered[] }
>();

function spotsIn(tables: Tables, volume: Volume, pod: Pod, container: Container): readonly Ordered[] {
  const known = inside.get(container);
  if (known?.volume === volume && known.pod === pod) return known.spots;
  const { mounts: declared = [], others = [] } = pod.containers.find(({ name }) => name === container.name) ?? {};
  const own = declared.filter((mount) => mount.volume === volume.name);
  const spots = own.map((volumeMount) => {
    const path = plainPath(volumeMount.mountPath);
    const below = others.filter(({ mountPath }) => plainPath(mountPath).startsWith(`${path}/`));
    return ordered(container, { volume, path, volumeMount, others: below });
  });
  // The only volumeMount that is not where the spec says: the runtime has followed a symbolic link of the image.
  const [only] = own;
  if (only === undefined || own.length > 1 || spots[0]?.spot.stack.length !== 0) {
    inside.set(container, { volume, pod, spots });
    return spots;
  }
  const path = linkedTo(tables, volume, container, declared);
  return path === undefined ? spots : [ordered(container, { volume, path, volumeMount: only, others: [] })];
}

function ordered(
  { podUid, name, pid, mounts }: Container,
  { path, ...known }: { readonly path: string } & Pick<Spot, 'volume' | 'volumeMount' | 'others'>,
): Ordered {
  const site: MountSite = { kind: 'container', podUid, container: name, pid, path };
  return { spot: spot(mounts, { ...known, site }), order: order(site) };
}

/** The one mount point of the container that the spec does not name and whose device is one of the volume's. */
function linkedTo(
  tables: Tables,
  volume: Volume,
  container: Container,
  declared: readonly VolumeMount[],
): string | undefined {
  const named = new Set(declared.map(({ mountPath }) => plainPath(mountPath)));
  const devices = devicesOf(tables, volume);
  const points = new Set(
    container.mounts
      .filter((mount) => isFuse(mount) && devices.has(mount.device) && !named.has(mount.mountPoint))
      .map(({ mountPoint }) => mountPoint),
  );
  const [only] = points;
  return points.size === 1 ? only : undefined;
}

/** The devices that stand for a volume on the node, at any layer. */
function devicesOf(tables: Tables, volume: Volume): ReadonlySet<DeviceId> {
  return new Set(
    [
      ...volume.sources.map((path) => standingAt(tables.mounts, path).stack),
      ...targetSpots(tables, volume).map(({ stack }) => stack),
    ].flatMap((stack) => stack.map(({ device }) => device)),
  );
}

function spot(
  mounts: readonly Mount[],
  known: Pick<Spot, 'volume' | 'site' | 'volumeMount'> & Partial<Pick<Spot, 'others'>>,
): Spot {
  const { stack, above } = standingAt(mounts, known.site.path);
  const fuseAbove = above.findLast(isFuse);
  return { others: [], ...known, stack, mounts, ...(fuseAbove === undefined ? {} : { fuseAbove }) };
}

/** Whether nothing stands at a site any more, or its container is no longer there. */
export function isGone({ mounts, containers }: Pick<Tables, 'mounts' | 'containers'>, site: MountSite): boolean {
  if (site.kind === 'target') return standingAt(mounts, site.path).stack.length === 0;
  const container = containerOf(containers, site);
  return container === undefined || standingAt(container.mounts, site.path).stack.length === 0;
}

/** The container that a site is in. */
export function containerOf(containers: readonly Container[], site: MountSite): Container | undefined {
  if (site.kind === 'target') return undefined;
  const { pid, podUid, container } = site;
  return containers.find((each) => each.pid === pid && each.podUid === podUid && each.name === container);
}

const order = (site: MountSite) =>
  site.kind === 'target'
    ? site.podUid
    : `${site.podUid}\0${site.container}\0${site.path}\0${String(site.pid).padStart(10, '0')}`;

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** A site as a key: the same site has the same key in every pass, another process of a container another. */
export function siteKey(site: MountSite): string {
  return site.kind === 'target' ? `target\0${site.path}` : `container\0${order(site)}`;
}
