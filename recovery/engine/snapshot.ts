import { ContainerMounts, sortSites } from './container-mounts.ts';
import {
  hasDeviceOf,
  type KnownDevices,
  removableMount,
  targetOwner,
  type VolumeEvidence,
  volumeEvidence,
} from './identity.ts';
import { type LookUpAnswers, type LookUps, recordAt } from './look-ups.ts';
import type {
  Container,
  DeviceId,
  Diagnosis,
  KernelTier,
  LookUp,
  Mount,
  MountSite,
  Nanoseconds,
  Pod,
  RemovableMount,
  Volume,
} from './model.ts';
import { isFuse, type MountTree, NodeMounts, type ObservedSite } from './mount-sites.ts';
import { isReadOnly } from './policy.ts';
import type { ClockPort, ContainerScope, KernelPort, KubernetesPort, Result } from './ports.ts';
import { admitStandbys, noStandbys, type Standbys } from './standby.ts';

export interface SnapshotFacts {
  readonly tier: KernelTier;
  readonly takenAt: Nanoseconds;
  /** The kubelet's root directory as the node's mount table spells it, without a trailing slash. */
  readonly kubeletRoot: string;
  /** Mount table of the node (the kubelet's mount namespace). */
  readonly mounts: readonly Mount[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly pods: readonly Pod[];
  /** As of `KubernetesPort`. */
  readonly unreadVolumes?: readonly string[];
  readonly lookUps: LookUpAnswers;
  /** Devices that were the volume's in earlier snapshots, by `Volume.name`. */
  readonly earlierDevices: ReadonlyMap<string, KnownDevices>;
  /** Feature gate `FuseStandby`; off by default. */
  readonly standby?: boolean;
}

/**
 * Mount tables, processes and API objects as read at one moment, with indexes over them. Taking one asks no daemon. The
 * indexes of whatever is the same array as in the previous snapshot are taken over from it.
 */
export class NodeSnapshot implements SnapshotFacts {
  readonly tier: KernelTier;
  readonly takenAt: Nanoseconds;
  readonly kubeletRoot: string;
  readonly mounts: readonly Mount[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly pods: readonly Pod[];
  readonly unreadVolumes: readonly string[];
  readonly lookUps: LookUpAnswers;
  readonly earlierDevices: SnapshotFacts['earlierDevices'];
  readonly standby: boolean;
  readonly #node: NodeMounts;
  readonly #podsByUid: ReadonlyMap<string, Pod>;
  readonly #containers: ReadonlyMap<Container, ContainerMounts>;
  readonly #sites: Map<Volume, readonly ObservedSite[]>;
  readonly #targets: Map<Volume, readonly ObservedSite[]>;
  readonly #evidence: Map<Volume, VolumeEvidence>;
  readonly #standbys: Map<Volume, Standbys>;

  constructor(facts: SnapshotFacts, previous?: NodeSnapshot) {
    const { mounts, kubeletRoot, pods, containers } = facts;
    this.tier = facts.tier;
    this.takenAt = facts.takenAt;
    this.kubeletRoot = kubeletRoot;
    this.mounts = mounts;
    this.containers = containers;
    this.volumes = facts.volumes;
    this.pods = pods;
    this.unreadVolumes = facts.unreadVolumes ?? [];
    this.lookUps = facts.lookUps;
    this.earlierDevices = facts.earlierDevices;
    this.standby = facts.standby ?? false;
    const isSameNode = previous?.mounts === mounts && previous.kubeletRoot === kubeletRoot;
    const isSamePods = previous?.pods === pods;
    const isSameAnswers = previous?.lookUps === facts.lookUps;
    const isSameContainers = previous?.containers === containers;
    this.#node = isSameNode ? previous.#node : new NodeMounts(mounts, kubeletRoot);
    this.#podsByUid = isSamePods ? previous.#podsByUid : new Map(pods.map((pod) => [pod.uid, pod]));
    const known = previous === undefined ? undefined : previous.#containers;
    this.#containers = isSameContainers
      ? previous.#containers
      : new Map(containers.map((each) => [each, known?.get(each) ?? new ContainerMounts(each)]));
    const hasSameTargets = isSameNode && isSamePods && isSameAnswers && previous.volumes === facts.volumes;
    this.#targets = hasSameTargets ? previous.#targets : new Map();
    this.#evidence =
      hasSameTargets && previous.earlierDevices === facts.earlierDevices ? previous.#evidence : new Map();
    this.#standbys = hasSameTargets ? previous.#standbys : new Map();
    this.#sites = hasSameTargets && isSameContainers ? previous.#sites : new Map();
  }

  /** The node's mount table, indexed by path. */
  get tree(): MountTree {
    return this.#node.tree;
  }

  pod(uid: string): Pod | undefined {
    return this.#podsByUid.get(uid);
  }

  /**
   * Every mount site of a volume, target paths first, in a fixed order. A target path is matched as a whole, a container mount
   * by the pod's spec and the container's own mount table: names are never joined, so volumes with similar names stay apart.
   */
  sites(volume: Volume): readonly ObservedSite[] {
    const known = this.#sites.get(volume);
    if (known !== undefined) return known;
    const sites = [...this.targetSites(volume), ...this.#subPathSites(volume), ...this.#containerSites(volume)];
    this.#sites.set(volume, sites);
    return sites;
  }

  /** The target paths of a volume, without those that only bear its name. */
  targetSites(volume: Volume): readonly ObservedSite[] {
    const known = this.#targets.get(volume);
    if (known !== undefined) return known;
    const sites = this.#node.sites(volume, this.pods).flatMap((observed): readonly ObservedSite[] => {
      const { podUid, path } = observed.site;
      const owner = targetOwner(volume, { pod: this.pod(podUid), record: recordAt(this.lookUps, path) });
      if (owner.kind === 'conflict') return [{ ...observed, conflict: owner.detail }];
      return owner.kind === 'volume' ? [observed] : [];
    });
    this.#targets.set(volume, sites);
    return sites;
  }

  /** The directories of a volume's target paths from which containers start. They are the volume's if the target path is. */
  #subPathSites(volume: Volume): readonly ObservedSite[] {
    const targets = new Map(this.targetSites(volume).map((observed) => [observed.site.podUid, observed]));
    return this.#node.subPathSites(volume).flatMap((observed) => {
      const target = targets.get(observed.site.podUid);
      if (target === undefined) return [];
      return [target.conflict === undefined ? observed : { ...observed, conflict: target.conflict }];
    });
  }

  #containerSites(volume: Volume): readonly ObservedSite[] {
    const pods = new Map(this.pods.filter((pod) => pod.volumes.includes(volume.name)).map((pod) => [pod.uid, pod]));
    const conflicts = new Map(this.targetSites(volume).map(({ site, conflict }) => [site.podUid, conflict]));
    const facts = { answers: this.lookUps, evidence: () => this.evidence(volume) };
    const sites = [...this.#containers.values()].flatMap((mounts) => {
      const { podUid } = mounts.container;
      const pod = pods.get(podUid);
      const found = pod === undefined ? [] : mounts.sites(volume, pod, facts);
      const conflict = conflicts.get(podUid);
      if (conflict === undefined) return found;
      return found.map(({ observed, order }) => ({ observed: { ...observed, conflict }, order }));
    });
    return sortSites(sites);
  }

  /** What shows that a mount is the volume's: the mounts of its sources, and those that the kubelet had published. */
  evidence(volume: Volume): VolumeEvidence {
    const known = this.#evidence.get(volume);
    if (known !== undefined) return known;
    const { certain, onNode } = this.#ownMounts(volume);
    const standbys = this.standbys(volume).paths.flatMap((path) => this.tree.at(path).stack);
    const earlier = this.earlierDevices.get(volume.name);
    const evidence = volumeEvidence({ certain: [...certain, ...standbys], onNode }, earlier);
    this.#evidence.set(volume, evidence);
    return evidence;
  }

  /** The mounts at the ordinary sources of a volume, and those that the kubelet had published. */
  #ownMounts(volume: Volume) {
    const onNode = [...this.targetSites(volume), ...this.#subPathSites(volume)];
    const published = onNode.filter(({ conflict }) => conflict === undefined);
    const sources = volume.sources.flatMap((path) => this.tree.at(path).stack);
    return {
      certain: [...sources, ...published.flatMap(({ stack }) => stack.slice(0, 1))],
      onNode: published.flatMap(({ stack }) => stack.slice(1)),
    };
  }

  /** The standbys of a volume; none if the gate is off. */
  standbys(volume: Volume): Standbys {
    if (!this.standby) return noStandbys;
    const known = this.#standbys.get(volume);
    if (known !== undefined) return known;
    const paths = volume.sources.flatMap((path) => this.#node.standbyPaths.get(path) ?? []);
    const standbys = paths.length === 0 ? noStandbys : this.#admit(volume, paths);
    this.#standbys.set(volume, standbys);
    return standbys;
  }

  #admit(volume: Volume, paths: readonly string[]): Standbys {
    const others = sourceMountsBeside(this.mounts, [...volume.sources, ...paths]);
    return admitStandbys(paths, {
      tree: this.tree,
      tier: this.tier,
      isReadOnly: isReadOnly(volume),
      evidence: volumeEvidence(this.#ownMounts(volume)),
      foreign: new Set(others.flatMap(({ mountPoint }) => this.tree.top(mountPoint)?.device ?? [])),
    });
  }

  /** Paths of all source mounts of a volume: the ordinary ones and its standbys. */
  sourcePaths(volume: Volume): readonly string[] {
    return [...volume.sources, ...this.standbys(volume).paths];
  }

  /** The device of the active source, which the target paths show; undefined if they show none of the present sources. */
  activeDevice(volume: Volume): DeviceId | undefined {
    const devices = new Set(this.sourcePaths(volume).map((path) => this.tree.top(path)?.device));
    const shown = this.targetSites(volume).map(({ stack }) => stack.at(-1)?.device);
    return shown.find((device) => device !== undefined && devices.has(device));
  }

  /** The visible mount of a site if it is the volume's. */
  removableMount(observed: Omit<ObservedSite, 'site' | 'tree' | 'nestedMounts'>): RemovableMount | undefined {
    return removableMount(observed, this.evidence(observed.volume));
  }

  /**
   * Whether a directory of the volume is the one that a container mounts by subPath. The kubelet has bound it on the node (kubernetes,
   * `pkg/volume/util/subpath`); without that only a mount of the volume's own device shows it, as a container may make any other one.
   */
  isSubPath({ site, stack, volume }: Pick<Diagnosis, 'site' | 'stack' | 'volume'>, root: string): boolean {
    if (site.kind !== 'container') return false;
    const directory = `${this.kubeletRoot}/pods/${site.podUid}/volume-subpaths/${volume.name}/${site.container}/`;
    const bound = this.mounts.filter(({ mountPoint }) => mountPoint.startsWith(directory));
    if (bound.length > 0) return bound.some((mount) => mount.root.replace(/\/\/deleted$/, '') === root);
    const top = stack.at(-1);
    return top !== undefined && hasDeviceOf(this.evidence(volume), top);
  }

  /** The look-ups that the sites of a volume depend on. */
  lookUpsFor(volume: Volume): readonly LookUp[] {
    const targets = this.#node.sites(volume, this.pods).filter(({ stack }) => stack.length > 0);
    const records = targets.map(({ site }): LookUp => ({ kind: 'record', target: site.path }));
    const mounts = [...this.#containers.values()].flatMap((each): LookUp[] => {
      const { container } = each;
      const pod = this.pod(container.podUid);
      if (pod === undefined || !pod.volumes.includes(volume.name)) return [];
      return each.missingPaths(volume, pod).map((path) => ({ kind: 'mount', container, path }));
    });
    return [...records, ...mounts];
  }

  /** The container that contains a site. */
  container(site: MountSite): Container | undefined {
    if (site.kind === 'target') return undefined;
    const { mountNamespace, podUid, container: name } = site;
    return this.containers.find(
      (each) => each.mountNamespace === mountNamespace && each.podUid === podUid && each.name === name,
    );
  }

  /** Whether nothing is mounted at a site any more, or its container has ended. */
  isGone(site: MountSite): boolean {
    if (site.kind === 'target') return this.tree.top(site.path) === undefined;
    const container = this.container(site);
    return container === undefined || this.#containers.get(container)?.tree.top(site.path) === undefined;
  }
}

export interface SnapshotOptions {
  readonly kernel: Pick<KernelPort, 'tier' | 'hostMounts' | 'containers'>;
  readonly kubernetes: Pick<KubernetesPort, 'view'>;
  readonly clock: Pick<ClockPort, 'now'>;
  readonly kubeletRoot: () => string;
  readonly standby: boolean;
  /** How long the containers of an earlier snapshot may be used. */
  readonly containersMaxAge: Nanoseconds;
  readonly lookUps: Pick<LookUps, 'answers' | 'retain'>;
  /** Called with the devices that exist whenever all tables have been read. */
  readonly onDevices: (devices: ReadonlySet<DeviceId>) => void;
}

const unknownContainers: readonly Container[] = [];

/** Takes node snapshots, and reads the tables of containers as rarely as is safe. */
export class SnapshotCache {
  readonly #options: SnapshotOptions;
  #latest: NodeSnapshot | undefined;
  /** When the containers of the latest snapshot were read; undefined if they are unknown. */
  #containersReadAt: Nanoseconds | undefined;
  #fullScanAt: Nanoseconds | undefined;
  /** Replaced by each change, as snapshots refer to it. */
  #knownDevices: SnapshotFacts['earlierDevices'] = new Map();

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  /** The containers as last read: the same array as long as no change has been seen. */
  get containers(): readonly Container[] {
    return (this.#containersReadAt === undefined ? undefined : this.#latest?.containers) ?? unknownContainers;
  }

  /** When the containers were last read; 0 if they are unknown. */
  get containersReadAt(): Nanoseconds {
    return this.#containersReadAt ?? (0n as Nanoseconds);
  }

  /** When the tables of all containers were last read. */
  get fullScanAt(): Nanoseconds | undefined {
    return this.#fullScanAt;
  }

  /** The node and the cluster as they are now, with the containers as last read. */
  node(): Result<NodeSnapshot> {
    return this.#take();
  }

  /** Everything as it is now; undefined if the node's table cannot be read. */
  scan(scope: ContainerScope): NodeSnapshot | undefined {
    const taken = this.#take(scope);
    this.#containersReadAt = taken.ok ? taken.value.takenAt : undefined;
    if (!taken.ok) return undefined;
    if (scope === 'fresh') {
      this.#fullScanAt = this.#options.clock.now();
      const devices = devicesIn(taken.value);
      this.#options.onDevices(devices);
      this.#forget(taken.value, devices);
    }
    return taken.value;
  }

  /**
   * Like `node`, but reads the known containers again if that was long ago or was before `after`. Each table takes up to a
   * millisecond to read; a change missed by not reading it makes a replacement fail with ESTALE.
   */
  recent(after?: Nanoseconds): NodeSnapshot | undefined {
    const readAt = this.#containersReadAt;
    const { clock, containersMaxAge } = this.#options;
    if (readAt === undefined || clock.now() - readAt >= containersMaxAge) return this.scan('known');
    if (after !== undefined && readAt <= after) return this.scan('known');
    const taken = this.node();
    return taken.ok ? taken.value : undefined;
  }

  #take(scope?: ContainerScope): Result<NodeSnapshot> {
    const { kernel, kubernetes, clock, kubeletRoot, lookUps, standby } = this.#options;
    const mounts = kernel.hostMounts();
    if (!mounts.ok) return mounts;
    const view = kubernetes.view();
    const containers = scope === undefined ? this.containers : kernel.containers(scope);
    const read = { mounts: mounts.value, containers, kubeletRoot: kubeletRoot() };
    const facts = { tier: kernel.tier, takenAt: clock.now(), ...read };
    const known = { lookUps: lookUps.answers, earlierDevices: this.#knownDevices, standby };
    this.#latest = new NodeSnapshot({ ...facts, ...view, ...known }, this.#latest);
    this.#rememberDevices(this.#latest);
    return { ok: true, value: this.#latest };
  }

  /** A pass changes what the target paths show, and may find a container only later that still shows the same. */
  #rememberDevices(snapshot: NodeSnapshot): void {
    const added = snapshot.volumes.flatMap((volume) => {
      const known = this.#knownDevices.get(volume.name);
      const { devices } = snapshot.evidence(volume);
      const isKnown = [...devices].every(([device, from]) => known?.get(device) === from);
      return isKnown ? [] : [[volume.name, devices] as const];
    });
    if (added.length > 0) this.#knownDevices = new Map([...this.#knownDevices, ...added]);
  }

  /** Adds devices that were a volume's. They are kept as long as they exist, even before the volume is known. */
  remember(volume: string, devices: KnownDevices): void {
    this.#knownDevices = new Map([
      ...this.#knownDevices,
      [volume, new Map([...(this.#knownDevices.get(volume) ?? []), ...devices])],
    ]);
  }

  /** Remembers whose the devices are that exist, and forgets all others: the kernel reuses the numbers of devices, and a pod takes its target paths along. */
  #forget(snapshot: NodeSnapshot, devices: ReadonlySet<DeviceId>): void {
    // Once its target paths have been recovered, nothing else shows that an earlier agent's mount in a container is the volume's.
    const shown = snapshot.volumes.map((volume) => [volume.name, snapshot.evidence(volume).devices] as const);
    this.#knownDevices = new Map(
      [...this.#knownDevices, ...shown].flatMap(([volume, known]) => {
        const existing = [...known].filter(([device]) => devices.has(device));
        return existing.length === 0 ? [] : [[volume, new Map(existing)] as const];
      }),
    );
    this.#options.lookUps.retain(snapshot.volumes.flatMap((volume) => snapshot.lookUpsFor(volume)));
  }
}

/** FUSE mounts in the directory tree of some source mounts that are neither these, nor other views of them, nor in a pod's directory. */
function sourceMountsBeside(mounts: readonly Mount[], paths: readonly string[]): readonly Mount[] {
  const root = paths[0]?.replace(/^(\/[^/]+\/).*$/, '$1') ?? '/';
  // The mount root may be bound to a second place, below which the dataset's own mounts appear again.
  const views = paths.map((path) => `/${path.split('/').slice(-4).join('/')}`);
  return mounts.filter((mount) => {
    const { mountPoint: path } = mount;
    if (!path.startsWith(root) || !isFuse(mount) || /\/pods\/[^/]+\/volume/.test(path)) return false;
    return !views.some((view) => path.endsWith(view));
  });
}

function devicesIn({ mounts, containers }: NodeSnapshot): ReadonlySet<DeviceId> {
  const tables = [mounts, ...containers.map((each) => each.mounts)];
  return new Set(tables.flatMap((table) => table.map(({ device }) => device)));
}
