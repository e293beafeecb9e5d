/**
 * What the engine knows and decides, as readonly data. Nothing here has an effect.
 *
 * Words are those of mountinfo(5), CSI and Kubernetes: a *source* is the FUSE mount that a daemon makes on the node, a
 * *target path* is where the CSI node plugin publishes it for a pod, a *container mount* is what the container sees.
 */

declare const brand: unique symbol;

/** `major:minor` of a superblock, as in mountinfo; alive in every mount namespace until its last mount is gone. */
export type DeviceId = string & { readonly [brand]: 'DeviceId' };

/** Monotonic nanoseconds (CLOCK_MONOTONIC), the one clock of all processes on a node. */
export type Nanoseconds = bigint & { readonly [brand]: 'Nanoseconds' };

/** One line of /proc/PID/mountinfo, escapes resolved (`man 5 proc_pid_mountinfo`). */
export interface Mount {
  readonly id: number;
  readonly parentId: number;
  readonly device: DeviceId;
  /** Path within the filesystem that forms the root of this mount; may end in `//deleted`. */
  readonly root: string;
  /** Path relative to the reading process's root. */
  readonly mountPoint: string;
  /** Per-mount options, in order: `ro`, `nosuid`, `relatime`, `idmapped` ... */
  readonly options: readonly string[];
  /** Peer group where the mount is shared. Numbers are recycled: never compare across snapshots. */
  readonly shared?: number;
  /** Peer group of which the mount is a slave. */
  readonly master?: number;
  readonly fstype: string;
  readonly mountSource: string;
  readonly superOptions: readonly string[];
}

/** Access modes of a PersistentVolume, in Kubernetes' spelling. */
export type AccessMode = 'ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany' | 'ReadWriteOncePod';

/** A PersistentVolume of the driver `fuse.csi.fluid.io`. */
export interface Volume {
  /** PersistentVolume's name, also the `<pv>` in the target path. */
  readonly name: string;
  /** CSI volume handle: the key of the volume's lock. */
  readonly handle: string;
  /** The claim that the volume is bound to; Fluid names the claim like the Dataset. */
  readonly dataset: { readonly namespace: string; readonly name: string } | undefined;
  /** Host paths where daemons mount it (`fluid_path`); usually one, never assumed to be only one. */
  readonly sources: readonly string[];
  /** Directory below the source that is published (`fluid_sub_path`), without a leading slash; empty for the whole. */
  readonly subdirectory: string;
  readonly accessModes: readonly AccessMode[];
}

/** A volumeMount of a container whose pod volume is a claim on a `Volume`. */
export interface VolumeMount {
  /** `Volume.name`. */
  readonly volume: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  /** Set for `subPath` and for `subPathExpr` (then the expression). */
  readonly subPath?: string;
}

/** A volumeMount of a container on any other volume. */
export interface OtherMount {
  readonly mountPath: string;
  readonly readOnly: boolean;
  /** Where the kubelet keeps what is mounted, below the pod's own directory; unset where that is not known. */
  readonly directory?: string;
}

/** A pod on this node that uses at least one `Volume`. */
export interface Pod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly runtimeClass?: string;
  /** Set once the pod is being deleted. */
  readonly deleting: boolean;
  /** `Volume.name` of all volumes in `spec.volumes`, mounted or not. */
  readonly volumes: readonly string[];
  /** Containers and init containers. */
  readonly containers: readonly {
    readonly name: string;
    readonly mounts: readonly VolumeMount[];
    readonly others?: readonly OtherMount[];
  }[];
}

/** A running container of a pod, known from its own mountinfo (binds of etc-hosts and termination-log). */
export interface Container {
  readonly podUid: string;
  /** Container's name in the pod's spec. */
  readonly name: string;
  /** Some process in it, as seen in the agent's PID namespace. */
  readonly pid: number;
  /** `mnt:[inode]`. */
  readonly mountNamespace: string;
  /** `user:[inode]` where it differs from the agent's: `hostUsers: false`. */
  readonly userNamespace?: string;
  /** Credentials of its process 1: reads are verified as this user. */
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
  readonly mounts: readonly Mount[];
}

/** What a read through the source said, at the time of the view. */
export type SourceState =
  | { readonly state: 'live'; readonly path: string; readonly device: DeviceId }
  | { readonly state: 'dead'; readonly path: string; readonly device: DeviceId; readonly errno: string }
  | { readonly state: 'hung'; readonly path: string; readonly device: DeviceId }
  | { readonly state: 'absent'; readonly path: string };

/** Everything that one pass looks at: immutable, and enough to decide without a memory. */
export interface NodeView {
  readonly tier: KernelTier;
  /** The kubelet's root directory as the node's mount table spells it, without a trailing slash. */
  readonly kubeletRoot: string;
  /** Mount table of the node (the kubelet's mount namespace). */
  readonly mounts: readonly Mount[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly pods: readonly Pod[];
  /**
   * Keyed by `Volume.name`: the states of the volume's sources, of those that have answered. A volume without an entry is not
   * diagnosed.
   */
  readonly sources: ReadonlyMap<string, readonly SourceState[]>;
  /** Answers of reads on mounts whose device is no live source: `ok`, `hung` or an errno name, keyed by device. */
  readonly devices: ReadonlyMap<DeviceId, string>;
}

/**
 * What the kernel can do.
 * `6.5`: MOVE_MOUNT_BENEATH. `5.12`: mount_setattr, stacking. `5.10`: flags by a private staging bind.
 */
export type KernelTier = '6.5' | '5.12' | '5.10';

/** Where a mount of a volume stands: on the node for a pod, or inside a container. */
export type MountSite =
  | { readonly kind: 'target'; readonly podUid: string; readonly path: string }
  | {
      readonly kind: 'container';
      readonly podUid: string;
      readonly container: string;
      readonly pid: number;
      readonly path: string;
    };

/**
 * `healthy`: top mount is the live source's. `dead`: it answers ENOTCONN or ECONNABORTED and no live source is there yet.
 * `hung`: it does not answer. `orphaned`: the source was replaced. `half-done`: the live source stands beneath the dead top.
 * `gone`: nothing is mounted there.
 */
export type MountState = 'healthy' | 'dead' | 'hung' | 'orphaned' | 'half-done' | 'gone';

export interface Diagnosis {
  readonly volume: Volume;
  readonly site: MountSite;
  readonly state: MountState;
  /** All mounts at the site, bottom first; the last is the one that is seen. */
  readonly stack: readonly Mount[];
  /**
   * Other mounts of the same namespace below the site, parents first. Those that can be seen, on the top of the stack; where
   * it is half done also those on the layer under the top, since each may have been carried over or not. At the end those
   * that the pod's spec asks for and the kernel has dropped, as the node has them, with ids that are no mount's.
   */
  readonly below: readonly Mount[];
  /** Mount paths below the site that the pod's spec asks for, where nothing is mounted and the node is not known to have it. */
  readonly lost?: readonly string[];
  /** A FUSE mount that the way to the site leads through. */
  readonly fuseAbove?: Mount;
  /** In a container: what the pod's spec says of the site. */
  readonly volumeMount?: VolumeMount;
}

/** Each refusal of the documented limits, and each thing that cannot be done, has a name: an event's and a metric's label. */
export type SkipReason =
  | 'source-not-live' // L4
  | 'gate-off' // E1
  | 'not-labelled' // A2
  | 'read-write' // L2
  | 'sub-path' // L3
  | 'unsupported-runtime'
  | 'pod-deleting'
  | 'hung'
  | 'nested-below-fuse'
  | 'subdirectory-missing'
  | 'idmap-unsupported'
  | 'inner-mount-unreachable'
  | 'locked-volume'; // CSI publish or unpublish holds the lock

/** What is to be done about one diagnosis. */
export type Action =
  | { readonly kind: 'replace'; readonly diagnosis: Diagnosis; readonly source: LiveSource; readonly why: string }
  | { readonly kind: 'finish'; readonly diagnosis: Diagnosis; readonly source: LiveSource; readonly why: string };

/** A source that answered. `root` is the directory of its filesystem that belongs at the site, beginning with `/`. */
export interface LiveSource {
  readonly path: string;
  readonly device: DeviceId;
  readonly root: string;
}

export interface Skip {
  readonly kind: 'skip';
  readonly diagnosis: Diagnosis;
  readonly reason: SkipReason;
  /** One sentence: what was refused, and what the user can change. */
  readonly detail: string;
}

export type Step = Action | Skip;

/** The documented limits and the flags that lift them. */
export interface Policy {
  /** Feature gate `FuseRecovery`. */
  readonly enabled: boolean;
  readonly readWriteScope: 'volume' | 'cluster' | 'recover';
  readonly subPath: 'refuse' | 'recover';
  /** `label`: only pods with `fuse.serverful.fluid.io/inject=true` are entered. `all`: every pod. */
  readonly pods: 'label' | 'all';
  /** RuntimeClasses whose guests keep descriptors of their own. */
  readonly unsupportedRuntimes: readonly string[];
}

/** Why something did not work, as a value. */
export interface Failure {
  /** `ENOTCONN`, `ETIMEDOUT` ... */
  readonly errno: string;
  /** System call. */
  readonly call: string;
  readonly path: string;
  /** Position in the order of calls: `clone-source`, `attach-beneath`, `detach`, `read-statfs` ... */
  readonly step: string;
}

/** What started a pass. */
export type Trigger = 'start' | 'mount-table' | 'daemon-exit' | 'kubernetes' | 'resync' | 'confirm';

/** What the engine says about itself, as it happens; logs, metrics and Kubernetes events are made of this and nothing else. */
export type Decision =
  | {
      readonly event: 'noticed';
      readonly trigger: Trigger;
      readonly volume: string;
      readonly source: SourceState;
      /** The connection had hung past its time and was aborted. */
      readonly aborted?: true;
    }
  | {
      readonly event: 'skipped';
      readonly volume: Volume;
      readonly site: MountSite;
      readonly reason: SkipReason;
      readonly detail: string;
    }
  | {
      readonly event: 'replaced';
      readonly volume: Volume;
      readonly site: MountSite;
      readonly took: Nanoseconds;
      /** Mounts at the site before and after. */
      readonly layers: readonly [before: number, after: number];
    }
  | {
      readonly event: 'recovered';
      readonly volume: Volume;
      readonly site: MountSite;
      /** From the moment that the engine set to work on a source found live, to the good read. */
      readonly took: Nanoseconds;
    }
  | { readonly event: 'failed'; readonly volume: Volume; readonly site: MountSite; readonly failure: Failure }
  | {
      readonly event: 'passed';
      readonly trigger: Trigger;
      readonly took: Nanoseconds;
      /** Until the last volume's sources had answered: a daemon that is slow to start is in it. */
      readonly observed: Nanoseconds;
      readonly applied: Nanoseconds;
      readonly verified: Nanoseconds;
      readonly actions: number;
      readonly skips: number;
      readonly unhealthy: number;
      /** The pass could not look at all: the node's mount table could not be read. */
      readonly failure?: Failure;
    };
