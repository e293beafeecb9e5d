import type { Container, DeviceId, KernelTier, Mount, MountSite, Nanoseconds, Pod, Volume } from './model.ts';
import { ContainerMounts, isFuse, type MountTree, NodeMounts, type ObservedSite, sortSites } from './mount-sites.ts';
import type { ClockPort, ContainerScope, KernelPort, KubernetesPort, Result } from './ports.ts';

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
  readonly #node: NodeMounts;
  readonly #podsByUid: ReadonlyMap<string, Pod>;
  readonly #containers: ReadonlyMap<Container, ContainerMounts>;
  readonly #sites: Map<Volume, readonly ObservedSite[]>;
  readonly #nodeStacks = new Map<Volume, readonly Mount[]>();

  constructor(facts: SnapshotFacts, previous?: NodeSnapshot) {
    const { mounts, kubeletRoot, pods, containers } = facts;
    this.tier = facts.tier;
    this.takenAt = facts.takenAt;
    this.kubeletRoot = kubeletRoot;
    this.mounts = mounts;
    this.containers = containers;
    this.volumes = facts.volumes;
    this.pods = pods;
    const isSameNode = previous?.mounts === mounts && previous.kubeletRoot === kubeletRoot;
    const isSamePods = previous?.pods === pods;
    const isSameContainers = previous?.containers === containers;
    this.#node = isSameNode ? previous.#node : new NodeMounts(mounts, kubeletRoot);
    this.#podsByUid = isSamePods ? previous.#podsByUid : new Map(pods.map((pod) => [pod.uid, pod]));
    const known = previous === undefined ? undefined : previous.#containers;
    this.#containers = isSameContainers
      ? previous.#containers
      : new Map(containers.map((each) => [each, known?.get(each) ?? new ContainerMounts(each)]));
    this.#sites = isSameNode && isSamePods && isSameContainers ? previous.#sites : new Map();
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
    const sites = [...this.targetSites(volume), ...this.#containerSites(volume)];
    this.#sites.set(volume, sites);
    return sites;
  }

  /** The target paths of a volume. */
  targetSites(volume: Volume): readonly ObservedSite[] {
    return this.#node.sites(volume, this.pods);
  }

  #containerSites(volume: Volume): readonly ObservedSite[] {
    const pods = new Map(this.pods.filter((pod) => pod.volumes.includes(volume.name)).map((pod) => [pod.uid, pod]));
    const devices = () => new Set(this.#mountsOnNode(volume).map(({ device }) => device));
    const sites = [...this.#containers.values()].flatMap((mounts) => {
      const pod = pods.get(mounts.container.podUid);
      return pod === undefined ? [] : mounts.sites(volume, pod, devices);
    });
    return sortSites(sites);
  }

  /**
   * The FUSE mount of a volume that is visible at a site. A mount that the application itself has put over the volume is none: the
   * bottom mount is the volume's, and one above it only if the node has its device, too, or if it has the fstype and mount
   * source of the bottom mount or of one on the node.
   */
  volumeMountAt({ volume, stack }: Pick<ObservedSite, 'volume' | 'stack'>): Mount | undefined {
    const [bottom] = stack;
    const top = stack.at(-1);
    if (top === undefined || !isFuse(top)) return undefined;
    const isOfVolume = ({ device, fstype, mountSource }: Mount) =>
      top.device === device || (top.fstype === fstype && top.mountSource === mountSource);
    return top === bottom || (bottom && isOfVolume(bottom)) || this.#mountsOnNode(volume).some(isOfVolume)
      ? top
      : undefined;
  }

  /** A volume's mounts on the node, in all layers of its sources and target paths. */
  #mountsOnNode(volume: Volume): readonly Mount[] {
    const known = this.#nodeStacks.get(volume);
    if (known !== undefined) return known;
    const mounts = [
      ...volume.sources.map((path) => this.tree.at(path).stack),
      ...this.targetSites(volume).map(({ stack }) => stack),
    ].flat();
    this.#nodeStacks.set(volume, mounts);
    return mounts;
  }

  /** The container that contains a site. */
  container(site: MountSite): Container | undefined {
    if (site.kind === 'target') return undefined;
    const { pid, podUid, container: name } = site;
    return this.containers.find((each) => each.pid === pid && each.podUid === podUid && each.name === name);
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
  readonly kubeletRoot: string;
  /** How long the containers of an earlier snapshot may be used. */
  readonly containersMaxAge: Nanoseconds;
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
      this.#options.onDevices(devicesIn(taken.value));
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
    const { kernel, kubernetes, clock, kubeletRoot } = this.#options;
    const mounts = kernel.hostMounts();
    if (!mounts.ok) return mounts;
    const { volumes, pods } = kubernetes.view();
    const containers = scope === undefined ? this.containers : kernel.containers(scope);
    const facts = { tier: kernel.tier, takenAt: clock.now(), kubeletRoot, mounts: mounts.value, containers };
    this.#latest = new NodeSnapshot({ ...facts, volumes, pods }, this.#latest);
    return { ok: true, value: this.#latest };
  }
}

function devicesIn({ mounts, containers }: NodeSnapshot): ReadonlySet<DeviceId> {
  const tables = [mounts, ...containers.map((each) => each.mounts)];
  return new Set(tables.flatMap((table) => table.map(({ device }) => device)));
}
