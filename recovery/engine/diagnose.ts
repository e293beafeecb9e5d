import { type LivenessQuestion, questionTo, type VolumeQuestions } from './liveness.ts';
import type {
  DeviceId,
  Diagnosis,
  Liveness,
  Mount,
  MountSite,
  OtherMount,
  SiteState,
  SourceState,
  Volume,
} from './model.ts';
import { isFuse, normalizePath, type ObservedSite } from './mount-sites.ts';
import type { NodeSnapshot } from './snapshot.ts';

/** A node snapshot with what the connections answered: all that a diagnosis and a plan depend on. */
export interface NodeObservation {
  readonly snapshot: NodeSnapshot;
  /** The sources that have answered, by `Volume.name`. A volume without an entry is not diagnosed. */
  readonly sources: ReadonlyMap<string, readonly SourceState[]>;
  /** The answers of devices that are visible at mount sites. */
  readonly liveness: ReadonlyMap<DeviceId, Liveness>;
}

/** The answers that are known so far. */
export interface KnownLiveness {
  get(device: DeviceId): Liveness | undefined;
}

/** Observes some volumes of a snapshot. Sources that have not answered yet are left out. */
export function observe(snapshot: NodeSnapshot, volumes: readonly Volume[], known: KnownLiveness): NodeObservation {
  const liveness = new Map<DeviceId, Liveness>();
  const sources = new Map<string, readonly SourceState[]>();
  for (const volume of volumes) {
    sources.set(volume.name, sourceStates(snapshot, volume, known));
    for (const { stack } of snapshot.sites(volume)) {
      const top = stack.at(-1);
      const answer = top === undefined ? undefined : known.get(top.device);
      if (top !== undefined && answer !== undefined) liveness.set(top.device, answer);
    }
  }
  return { snapshot, sources, liveness };
}

/** The status of a device, which is unknown if it has not been asked. */
export function statusOf(observation: NodeObservation, volume: Volume, device: DeviceId): Liveness['status'] {
  const source = observedSources(observation, volume).find((each) => each.state !== 'absent' && each.device === device);
  if (source !== undefined && source.state !== 'absent') return source.state;
  return observation.liveness.get(device)?.status ?? 'unknown';
}

/** The sources of a volume that have answered. */
export function observedSources({ sources }: NodeObservation, { name }: Volume): readonly SourceState[] {
  return sources.get(name) ?? [];
}

/** Whether no source of a volume is known to be live, but one that could not be asked or is kept may be. */
export function mayHaveLiveSource(observation: NodeObservation, volume: Volume): boolean {
  const sources = observedSources(observation, volume);
  return (
    sources.every(({ state }) => state !== 'live') &&
    sources.some(({ state }) => state === 'unknown' || state === 'kept')
  );
}

/** A source path and its FUSE mount. */
export interface SourceMount {
  readonly path: string;
  readonly mount: Mount | undefined;
}

export function sourceMounts(snapshot: NodeSnapshot, volume: Volume): readonly SourceMount[] {
  return snapshot.sourcePaths(volume).map((path) => {
    const top = snapshot.tree.top(path);
    return { path, mount: top !== undefined && isFuse(top) ? top : undefined };
  });
}

/** The states of a volume's sources that have answered. */
export function sourceStates(snapshot: NodeSnapshot, volume: Volume, known: KnownLiveness): readonly SourceState[] {
  return sourceMounts(snapshot, volume).flatMap((source) => sourceState(source, known) ?? []);
}

function sourceState({ path, mount }: SourceMount, known: KnownLiveness): SourceState | undefined {
  if (mount === undefined) return { state: 'absent', path };
  const { device } = mount;
  const liveness = known.get(device);
  switch (liveness?.status) {
    case undefined:
      return undefined;
    case 'live':
    case 'hung':
    case 'kept':
      return { state: liveness.status, path, device };
    case 'dead':
    case 'unknown':
      return { state: liveness.status, path, device, errno: liveness.errno };
  }
}

/** The questions to a volume's source mounts. */
export function sourceQuestions(snapshot: NodeSnapshot, volume: Volume): readonly LivenessQuestion[] {
  return sourceMounts(snapshot, volume).flatMap(({ path, mount }): LivenessQuestion[] =>
    mount === undefined ? [] : [questionTo({ kind: 'source', path }, mount)],
  );
}

/** The questions to a volume's source mounts and to the devices at its sites, except to those that are known to be dead. */
export function volumeQuestions(snapshot: NodeSnapshot, volume: Volume, known: KnownLiveness): VolumeQuestions {
  const sources = sourceQuestions(snapshot, volume);
  const sourceDevices = new Set(sources.map(({ device }) => device));
  const sites = new Map<DeviceId, LivenessQuestion>();
  const visible = new Set<DeviceId>();
  for (const observed of snapshot.sites(volume)) {
    const top = snapshot.removableMount(observed);
    if (top === undefined) continue;
    visible.add(top.device);
    if (sourceDevices.has(top.device) || known.get(top.device)?.status === 'dead') continue;
    if (!sites.has(top.device)) sites.set(top.device, questionTo(observed.site, top));
  }
  return { sources, sites: [...sites.values()], visible };
}

/** Whether a site shows a mount of the volume that is at none of its sources, or one of which it is not clear whose it is. */
export function hasStaleMount(
  snapshot: NodeSnapshot,
  sources: readonly SourceMount[],
  sites: readonly ObservedSite[],
): boolean {
  const devices = new Set(sources.map(({ mount }) => mount?.device));
  return sites.some((observed) => {
    const top = observed.conflict === undefined ? snapshot.removableMount(observed) : observed.stack.at(-1);
    return top !== undefined && !devices.has(top.device);
  });
}

/** Diagnoses every site of every volume whose sources were observed. Equal observations give equal diagnoses. */
export function diagnose(observation: NodeObservation): readonly Diagnosis[] {
  const { snapshot, sources } = observation;
  return snapshot.volumes
    .filter(({ name }) => sources.has(name))
    .flatMap((volume) => snapshot.sites(volume).map((site) => diagnoseSite(observation, site)));
}

function diagnoseSite(observation: NodeObservation, { tree, nestedMounts, ...observed }: ObservedSite): Diagnosis {
  const removable = observation.snapshot.removableMount(observed);
  const site = { ...observed, ...(removable === undefined ? {} : { removable }) };
  const state = mountState(observation, site);
  // Mounts on deeper layers are hidden and must stay so.
  const layers = site.stack.slice(state === 'half-done' ? -2 : -1);
  const below = layers.flatMap((layer) => tree.descendants(layer, site.stack));
  const top = site.stack.at(-1);
  if (top === undefined || state === 'healthy') return { ...site, state, below };
  const { found, lost } = findDroppedMounts(observation.snapshot, { site: site.site, top, below, nestedMounts });
  return { ...site, state, below: [...below, ...found], ...(lost.length === 0 ? {} : { lost }) };
}

function mountState(
  observation: NodeObservation,
  { volume, stack, conflict, removable, unattributed }: Omit<Diagnosis, 'state' | 'below'>,
): SiteState {
  const top = stack.at(-1);
  const live = liveDevices(observation, volume);
  if (top === undefined) return unattributed === undefined || live.has(unattributed.device) ? 'gone' : 'unfound';
  if (live.has(top.device)) return 'healthy';
  if (conflict !== undefined) return 'contested';
  // Another filesystem was mounted there on purpose.
  if (removable === undefined) return 'healthy';
  const status = statusOf(observation, volume, top.device);
  if (status === 'unknown') return 'unknown';
  // A connection that is kept for a daemon keeps its sites, and so does that of a daemon that hangs unless it is aborted.
  const isSource = observedSources(observation, volume).some(
    (each) => each.state !== 'absent' && each.device === top.device,
  );
  if (isSource && (status === 'hung' || status === 'kept')) return status;
  if (live.size > 0) {
    const beneath = stack.at(-2);
    if (beneath === undefined || !live.has(beneath.device)) return 'orphaned';
    return status === 'live' ? 'healthy' : 'half-done';
  }
  return status === 'live' ? 'healthy' : status;
}

function liveDevices(observation: NodeObservation, volume: Volume): ReadonlySet<DeviceId> {
  const sources = observedSources(observation, volume);
  return new Set(sources.flatMap((source) => (source.state === 'live' ? [source.device] : [])));
}

/**
 * Finds the mounts inside a dead one that the kernel has dropped, which it does as soon as their names have expired and are
 * looked up (facts: kernel L, M1); from then on only the pod's spec knows about them. `found`: the mounts that exist on the node, to
 * be cloned from there. `lost`: paths of the others, at which a replacement would show the dataset's own directory instead.
 */
function findDroppedMounts(
  { kubeletRoot, tree }: NodeSnapshot,
  {
    site,
    top,
    below,
    nestedMounts,
  }: {
    readonly site: MountSite;
    readonly top: Mount;
    readonly below: readonly Mount[];
    readonly nestedMounts: readonly OtherMount[];
  },
): { readonly found: readonly Mount[]; readonly lost: readonly string[] } {
  const found: Mount[] = [];
  const lost: string[] = [];
  const missing = nestedMounts
    .map((nested) => ({ ...nested, path: normalizePath(nested.mountPath) }))
    .filter(({ path }) => !below.some(({ mountPoint }) => mountPoint === path))
    // Parents first, as in a mount table.
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, directory, readOnly } of missing) {
    const onNode = directory === undefined ? undefined : `${kubeletRoot}/pods/${site.podUid}/${directory}`;
    const content = onNode === undefined ? undefined : mountOfDirectory(tree, onNode);
    if (content === undefined) {
      lost.push(path);
      continue;
    }
    const parent = [...below, ...found].findLast(({ mountPoint }) => path.startsWith(`${mountPoint}/`)) ?? top;
    const options = readOnly ? ['ro', ...content.options.filter((option) => option !== 'rw')] : content.options;
    const { shared: _, master: __, ...mount } = content;
    found.push({ ...mount, id: -1 - found.length, parentId: parent.id, mountPoint: path, options });
  }
  return { found, lost };
}

/** A directory of the node as a mount with that root; undefined if a daemon would have to be asked. */
function mountOfDirectory(tree: NodeSnapshot['tree'], path: string): Mount | undefined {
  const { stack, above } = tree.at(path);
  if (above.some(isFuse)) return undefined;
  const top = stack.at(-1);
  if (top !== undefined) return isFuse(top) ? undefined : top;
  const parent = above.at(-1);
  if (parent === undefined) return undefined;
  const relative = path.slice(parent.mountPoint === '/' ? 0 : parent.mountPoint.length);
  return { ...parent, root: normalizePath(`${parent.root}${relative}`) };
}
