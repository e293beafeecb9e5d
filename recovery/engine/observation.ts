import type { LivenessQuestion, VolumeQuestions } from './liveness.ts';
import type { DeviceId, Liveness, Mount, SourceState, Volume } from './model.ts';
import type { ObservedSite } from './mount-sites.ts';
import { isFuse } from './mount-tree.ts';
import type { NodeSnapshot } from './snapshot.ts';

/** A node snapshot with what the connections answered: all that a diagnosis and a plan depend on. */
export interface Observation {
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
export function observe(snapshot: NodeSnapshot, volumes: readonly Volume[], known: KnownLiveness): Observation {
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
export function statusOf(observation: Observation, volume: Volume, device: DeviceId): Liveness['status'] {
  const source = observedSources(observation, volume).find((each) => each.state !== 'absent' && each.device === device);
  if (source !== undefined && source.state !== 'absent') return source.state;
  return observation.liveness.get(device)?.status ?? 'unknown';
}

/** The sources of a volume that have answered. */
export function observedSources({ sources }: Observation, { name }: Volume): readonly SourceState[] {
  return sources.get(name) ?? [];
}

/** Whether no source of a volume is known to be live, but one that could not be asked may be. */
export function mayHaveLiveSource(observation: Observation, volume: Volume): boolean {
  const sources = observedSources(observation, volume);
  return sources.every(({ state }) => state !== 'live') && sources.some(({ state }) => state === 'unknown');
}

/** A source path and its FUSE mount. */
export interface SourceMount {
  readonly path: string;
  readonly mount: Mount | undefined;
}

export function sourceMounts({ tree }: NodeSnapshot, { sources }: Volume): readonly SourceMount[] {
  return sources.map((path) => {
    const top = tree.top(path);
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
      return { state: liveness.status, path, device };
    case 'dead':
    case 'unknown':
      return { state: liveness.status, path, device, errno: liveness.errno };
  }
}

/** The questions to a volume's source mounts. */
export function sourceQuestions(snapshot: NodeSnapshot, volume: Volume): readonly LivenessQuestion[] {
  return sourceMounts(snapshot, volume).flatMap(({ path, mount }): LivenessQuestion[] =>
    mount === undefined ? [] : [{ site: { kind: 'source', path }, device: mount.device }],
  );
}

/** The questions to a volume's source mounts and to the devices at its sites, except to those that are known to be dead. */
export function volumeQuestions(snapshot: NodeSnapshot, volume: Volume, known: KnownLiveness): VolumeQuestions {
  const sources = sourceQuestions(snapshot, volume);
  const sourceDevices = new Set(sources.map(({ device }) => device));
  const sites = new Map<DeviceId, LivenessQuestion>();
  const visible = new Set<DeviceId>();
  for (const observed of snapshot.sites(volume)) {
    const top = snapshot.volumeMountAt(observed);
    if (top === undefined) continue;
    visible.add(top.device);
    if (sourceDevices.has(top.device) || known.get(top.device)?.status === 'dead') continue;
    if (!sites.has(top.device)) sites.set(top.device, { site: observed.site, device: top.device });
  }
  return { sources, sites: [...sites.values()], visible };
}

/** Whether a site shows a FUSE mount of the volume that is at none of its sources. */
export function hasStaleMount(
  snapshot: NodeSnapshot,
  sources: readonly SourceMount[],
  sites: readonly ObservedSite[],
): boolean {
  const devices = new Set(sources.map(({ mount }) => mount?.device));
  return sites.some((observed) => {
    const top = snapshot.volumeMountAt(observed);
    return top !== undefined && !devices.has(top.device);
  });
}
