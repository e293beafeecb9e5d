import type { DeviceId, Diagnosis, Mount, MountSite, MountState, OtherMount, Volume } from './model.ts';
import type { ObservedSite } from './mount-sites.ts';
import { isFuse, normalizePath } from './mount-tree.ts';
import { type Observation, observedSources, statusOf } from './observation.ts';
import type { NodeSnapshot } from './snapshot.ts';

/** Diagnoses every site of every volume whose sources were observed. Equal observations give equal diagnoses. */
export function diagnose(observation: Observation): readonly Diagnosis[] {
  const { snapshot, sources } = observation;
  return snapshot.volumes
    .filter(({ name }) => sources.has(name))
    .flatMap((volume) => snapshot.sites(volume).map((site) => diagnoseSite(observation, site)));
}

function diagnoseSite(observation: Observation, { tree, nestedMounts, ...site }: ObservedSite): Diagnosis {
  const state = mountState(observation, site);
  // Mounts on deeper layers are hidden and must stay so.
  const layers = site.stack.slice(state === 'half-done' ? -2 : -1);
  const below = layers.flatMap((layer) => tree.descendants(layer, site.stack));
  const top = site.stack.at(-1);
  if (top === undefined || state === 'healthy') return { ...site, state, below };
  const { found, lost } = findDroppedMounts(observation.snapshot, { site: site.site, top, below, nestedMounts });
  return { ...site, state, below: [...below, ...found], ...(lost.length === 0 ? {} : { lost }) };
}

function mountState(observation: Observation, site: Pick<ObservedSite, 'volume' | 'stack'>): MountState {
  const { volume, stack } = site;
  const top = stack.at(-1);
  if (top === undefined) return 'gone';
  const live = liveDevices(observation, volume);
  if (live.has(top.device)) return 'healthy';
  // Another filesystem was mounted there on purpose.
  if (observation.snapshot.volumeMountAt(site) === undefined) return 'healthy';
  const status = statusOf(observation, volume, top.device);
  if (status === 'unknown') return 'unknown';
  if (live.size > 0) {
    const beneath = stack.at(-2);
    if (beneath === undefined || !live.has(beneath.device)) return 'orphaned';
    return status === 'live' ? 'healthy' : 'half-done';
  }
  return status === 'live' ? 'healthy' : status;
}

function liveDevices(observation: Observation, volume: Volume): ReadonlySet<DeviceId> {
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
