import { hasDeviceOf, mayBeShownBy, type VolumeEvidence } from './identity.ts';
import { type LookUpAnswers, mountPointAt } from './look-ups.ts';
import type { Container, Mount, Pod, Volume, VolumeMount } from './model.ts';
import { byText, containerSiteOrder, MountTree, normalizePath, type ObservedSite, observe } from './mount-sites.ts';

/** Kubernetes' default of `terminationMessagePath`. */
const defaultTerminationLog = '/dev/termination-log';

type PodContainer = Pod['containers'][number];

/** What the sites of a container depend on beside its mount table and the pod's spec. */
export interface ContainerFacts {
  readonly answers: LookUpAnswers;
  readonly evidence: () => VolumeEvidence;
}

export interface OrderedSite {
  readonly observed: ObservedSite;
  /** Sorts the container mounts of a volume. */
  readonly order: string;
}

/** A container's mount table. A crash leaves it unchanged, so snapshots share it and recovery does not wait for its index. */
export class ContainerMounts {
  readonly container: Container;
  #tree: MountTree | undefined;
  readonly #sites = new Map<string, { readonly volume: Volume; readonly pod: Pod; readonly sites: OrderedSite[] }>();

  constructor(container: Container) {
    this.container = container;
  }

  get tree(): MountTree {
    this.#tree ??= MountTree.of(this.container.mounts);
    return this.#tree;
  }

  /** The mounts of a volume in this container; none if its termination log is not where the pod's spec requests it. */
  sites(volume: Volume, pod: Pod, facts: ContainerFacts): readonly OrderedSite[] {
    const known = this.#sites.get(volume.name);
    if (known?.volume === volume && known.pod === pod) return known.sites;
    const spec = pod.containers.find(({ name }) => name === this.container.name);
    if (spec === undefined) return [];
    const log = this.#terminationLog(spec, facts);
    if (log === 'unknown') return [];
    const conflict = log === 'own' ? {} : { conflict: log.conflict };
    const own = spec.mounts.filter((mount) => mount.volume === volume.name);
    const missing = own.filter(({ mountPath }) => this.#isMissing(mountPath));
    const sites = own.map((volumeMount) => {
      const path = normalizePath(volumeMount.mountPath);
      if (missing.includes(volumeMount)) return this.#linkedSite(path, { volume, volumeMount, missing, spec, facts });
      const nestedMounts = (spec.others ?? []).filter(({ mountPath }) =>
        normalizePath(mountPath).startsWith(`${path}/`),
      );
      return this.#siteAt(path, { volume, volumeMount, nestedMounts, ...conflict });
    });
    // Others depend on look-ups and on the node's mounts.
    if (missing.length === 0 && log === 'own') this.#sites.set(volume.name, { volume, pod, sites });
    return sites;
  }

  /** The paths of a pod's spec that lead through symbolic links, or to nothing. */
  missingPaths(volume: Volume, pod: Pod): readonly string[] {
    const spec = pod.containers.find(({ name }) => name === this.container.name);
    if (spec === undefined) return [];
    const { terminationMessagePath = defaultTerminationLog } = spec;
    const log = normalizePath(terminationMessagePath);
    const own = spec.mounts.filter((mount) => mount.volume === volume.name).map(({ mountPath }) => mountPath);
    const missing = own.filter((path) => this.#isMissing(path)).map(normalizePath);
    return [...(log === this.container.terminationLog ? [] : [log]), ...missing];
  }

  #isMissing(path: string): boolean {
    return this.tree.at(normalizePath(path)).stack.length === 0;
  }

  /** Whether the log is where the spec requests it. If another mount is there the two disagree, and without an answer it is unknown. */
  #terminationLog(
    { terminationMessagePath = defaultTerminationLog }: PodContainer,
    { answers }: ContainerFacts,
  ): 'own' | 'unknown' | { readonly conflict: string } {
    const path = normalizePath(terminationMessagePath);
    const { terminationLog } = this.container;
    const found = mountPointAt(answers, this.container, path) ?? (this.#isMissing(path) ? undefined : path);
    if (path === terminationLog || found === terminationLog) return 'own';
    if (found === undefined) return 'unknown';
    return {
      conflict: `the termination log of the container is at ${terminationLog}, and its pod requests it at ${path}`,
    };
  }

  #siteAt(path: string, facts: Omit<Parameters<typeof observe>[1], 'site'>): OrderedSite {
    const { podUid, name, mountNamespace, pid } = this.container;
    const site = { kind: 'container', podUid, container: name, mountNamespace, pid, path } as const;
    return { observed: observe(this.tree, { ...facts, site }), order: containerSiteOrder(site) };
  }

  /**
   * The site of a mount path that leads through a symbolic link of the image, which the runtime has followed. As the container may change
   * the link, the mount must also be the volume's. Without an answer it is the only mount of a device of the volume that nothing else names.
   */
  #linkedSite(
    path: string,
    {
      volume,
      volumeMount,
      missing,
      spec,
      facts: { answers, evidence },
    }: {
      readonly volume: Volume;
      readonly volumeMount: VolumeMount;
      readonly missing: readonly VolumeMount[];
      readonly spec: PodContainer;
      readonly facts: ContainerFacts;
    },
  ): OrderedSite {
    const named = new Set(spec.mounts.map(({ mountPath }) => normalizePath(mountPath)));
    const links = new Set(missing.map((each) => mountPointAt(answers, this.container, normalizePath(each.mountPath))));
    const shown = evidence();
    const isFree = (mount: Mount) => !named.has(mount.mountPoint) && mayBeShownBy(shown, mount);
    const free = this.container.mounts.filter(isFree);
    const link = mountPointAt(answers, this.container, path);
    const only = new Set(free.filter((mount) => hasDeviceOf(shown, mount)).map(({ mountPoint }) => mountPoint));
    const found = missing.length === 1 && only.size === 1 ? [...only][0] : undefined;
    const linked = link !== undefined && free.some(({ mountPoint }) => mountPoint === link) ? link : found;
    if (linked !== undefined) return this.#siteAt(linked, { volume, volumeMount, nestedMounts: [] });
    const unattributed = free.find(({ mountPoint }) => !links.has(mountPoint));
    return this.#siteAt(path, {
      volume,
      volumeMount,
      nestedMounts: [],
      ...(unattributed === undefined ? {} : { unattributed }),
    });
  }
}

export function sortSites(sites: readonly OrderedSite[]): readonly ObservedSite[] {
  return sites.toSorted((a, b) => byText(a.order, b.order)).map(({ observed }) => observed);
}
