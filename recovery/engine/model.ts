/**
 * What the engine knows and decides, as readonly data without behaviour.
 *
 * Terms follow mountinfo(5), CSI and Kubernetes. A *source mount* is the FUSE mount that a daemon creates on the node. A *target
 * path* is where the CSI node plugin publishes it for a pod. A *container mount* is what the container sees. The latter two are
 * *mount sites*: the engine may replace a mount there.
 */

declare const brand: unique symbol;

/** The CSI driver's name. It is Fluid's, so that existing volumes work unchanged. */
export const driverName = 'fuse.csi.fluid.io';

/** `major:minor` of a superblock, as in mountinfo; in use until its last mount in any mount namespace is gone. */
export type DeviceId = string & { readonly [brand]: 'DeviceId' };

/** CLOCK_MONOTONIC, which all processes of a node share. */
export type Nanoseconds = bigint & { readonly [brand]: 'Nanoseconds' };

/** One line of /proc/PID/mountinfo, escapes resolved (`man 5 proc_pid_mountinfo`). */
export interface Mount {
  readonly id: number;
  readonly parentId: number;
  readonly device: DeviceId;
  /** The directory of the filesystem that is the root of this mount; may end in `//deleted`. */
  readonly root: string;
  /** Path relative to the reading process's root. */
  readonly mountPoint: string;
  /** Per-mount options, in order: `ro`, `nosuid`, `relatime`, `idmapped` ... */
  readonly options: readonly string[];
  /** Peer group of a shared mount. The kernel reuses numbers, so they are comparable within one snapshot only. */
  readonly shared?: number;
  /** Peer group that the mount is a slave of. */
  readonly master?: number;
  readonly fstype: string;
  readonly mountSource: string;
  readonly superOptions: readonly string[];
}

/** Access modes of a PersistentVolume. */
export type AccessMode = 'ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany' | 'ReadWriteOncePod';

/** A PersistentVolume of the driver `fuse.csi.fluid.io`. */
export interface Volume {
  /** Name of the PersistentVolume, also in the target path. */
  readonly name: string;
  /** CSI volume handle, the key of the volume's lock. */
  readonly handle: string;
  /** The claim that the volume is bound to; Fluid gives the claim the Dataset's name. */
  readonly dataset: { readonly namespace: string; readonly name: string } | undefined;
  /** Paths of the source mounts (`fluid_path`); usually one. */
  readonly sources: readonly string[];
  /** Published directory below the source (`fluid_sub_path`), without a leading slash; empty for the whole volume. */
  readonly subdirectory: string;
  readonly accessModes: readonly AccessMode[];
}

/** A container's volumeMount of a `Volume`. */
export interface VolumeMount {
  /** `Volume.name`. */
  readonly volume: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  /** `subPath`, or the expression of `subPathExpr`. */
  readonly subPath?: string;
}

/** A container's volumeMount of any other volume. */
export interface OtherMount {
  readonly mountPath: string;
  readonly readOnly: boolean;
  /** The mounted directory, relative to the kubelet's directory for the pod; unset if unknown. */
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
  readonly restartPolicy?: string;
  /** What creates the pod again, by its owner reference. */
  readonly controller?: { readonly kind: string; readonly name: string };
  /** Set once the pod is being deleted. */
  readonly deleting: boolean;
  /** `Volume.name` of all volumes in `spec.volumes`, whether or not a container mounts them. */
  readonly volumes: readonly string[];
  /** Set while it is not known where all of its claims lead, so that `volumes` may lack some. */
  readonly hasUnreadClaims?: true;
  /** Containers and init containers. */
  readonly containers: readonly {
    readonly name: string;
    /** `/dev/termination-log` by default. */
    readonly terminationMessagePath?: string;
    readonly mounts: readonly VolumeMount[];
    readonly others?: readonly OtherMount[];
  }[];
}

/** A running container of a pod, identified by the kubelet's bind of its termination log. */
export interface Container {
  readonly podUid: string;
  /** The name in the pod's spec. */
  readonly name: string;
  /** Where the termination log is mounted; it must be where the pod's spec requests it. */
  readonly terminationLog: string;
  /** A process of the container, in the agent's PID namespace. */
  readonly pid: number;
  /** `mnt:[inode]`. */
  readonly mountNamespace: string;
  /** `user:[inode]` if it differs from the agent's (`hostUsers: false`). */
  readonly userNamespace?: string;
  /** Credentials of its process 1, as which proofs read. */
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
  readonly mounts: readonly Mount[];
}

/** What the kubelet recorded of a CSI volume before it published it: `vol_data.json` (kubernetes, `pkg/volume/csi/csi_util.go`). */
export interface VolumeRecord {
  readonly driverName: string;
  readonly volumeHandle: string;
  /** Name of the PersistentVolume; of an inline volume, the pod's own name for it. */
  readonly specVolID: string;
}

/**
 * A question that only a disk may answer, so that it is not part of a snapshot. `record`: what the kubelet recorded beside a target
 * path. `mount`: the id of the mount to which a path of a container leads through symbolic links of its image.
 */
export type LookUp =
  | { readonly kind: 'record'; readonly target: string }
  | { readonly kind: 'mount'; readonly container: Container; readonly path: string };

/**
 * A mount that the engine may remove: it is the volume's, and not one that the application has put over it. Only `identity.ts` makes
 * such a value, so every removal has passed its checks.
 */
export type RemovableMount = Mount & { readonly [brand]: 'RemovableMount' };

/** How full a file system is, by statfs. */
export interface FilesystemUsage {
  readonly totalBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
  readonly freeInodes: number;
}

/** How a FUSE connection answered when it was last asked. */
export type Liveness =
  /** `usage` is missing if the daemon answered with an error. */
  | { readonly status: 'live'; readonly usage?: FilesystemUsage }
  /** ENOTCONN or ECONNABORTED, which are final. */
  | { readonly status: 'dead'; readonly errno: string }
  /** `since`: when the first unanswered question was asked. */
  | { readonly status: 'hung'; readonly since: Nanoseconds }
  /** It does not answer because its daemon is away; a keeper holds the connection until then. */
  | { readonly status: 'kept'; readonly until: Nanoseconds }
  /** It could not be asked, because of an error of the agent's own or because the mount was replaced meanwhile. */
  | { readonly status: 'unknown'; readonly errno: string };

/** A source mount as of a snapshot; `absent` if no FUSE mount is at its path. */
export type SourceState =
  | { readonly state: 'live'; readonly path: string; readonly device: DeviceId }
  | { readonly state: 'dead'; readonly path: string; readonly device: DeviceId; readonly errno: string }
  | { readonly state: 'hung'; readonly path: string; readonly device: DeviceId }
  | { readonly state: 'kept'; readonly path: string; readonly device: DeviceId }
  | { readonly state: 'unknown'; readonly path: string; readonly device: DeviceId; readonly errno: string }
  | { readonly state: 'absent'; readonly path: string };

/**
 * What the kernel supports.
 * `6.5`: MOVE_MOUNT_BENEATH. `5.12`: mount_setattr, stacking. `5.10`: flags by a private staging bind.
 */
export type KernelTier = '6.5' | '5.12' | '5.10';

/**
 * A place where the engine may replace a mount of a volume: a mount of a container, or a path on the node from which the kubelet starts
 * containers, which is the pod's target path or a directory of it.
 */
export type MountSite =
  | {
      readonly kind: 'target';
      readonly podUid: string;
      readonly path: string;
      /** The container that starts from it, if the kubelet has bound a directory of the volume there, for a subPath. */
      readonly subPathOf?: string;
    }
  | {
      readonly kind: 'container';
      readonly podUid: string;
      readonly container: string;
      /** Identifies the container among those of that name: its processes come and go. */
      readonly mountNamespace: string;
      /** A process in it when the snapshot was taken. */
      readonly pid: number;
      readonly path: string;
    };

/**
 * `healthy`: the top mount is the live source's. `dead`: it answers ENOTCONN or ECONNABORTED and no source is live.
 * `hung`: it does not answer. `kept`: nor does it, but a keeper holds its connection for the next daemon. `orphaned`: a source is live, but another device is on top. `half-done`: the live source is mounted
 * directly beneath the dead top. `gone`: nothing is mounted. `unknown`: the top mount's daemon could not be asked.
 * `contested`: two sources disagree about whose the site is, and it does not show the live source. `unfound`: nothing is mounted
 * there, but an earlier mount of the volume is somewhere else in the container.
 */
export type SiteState =
  | 'healthy'
  | 'dead'
  | 'hung'
  | 'kept'
  | 'orphaned'
  | 'half-done'
  | 'gone'
  | 'unknown'
  | 'contested'
  | 'unfound';

export interface Diagnosis {
  readonly volume: Volume;
  readonly site: MountSite;
  readonly state: SiteState;
  /** All mounts at the site, bottom first; the last is the visible one. */
  readonly stack: readonly Mount[];
  /**
   * Other mounts below the site in the same namespace, parents first: the visible ones on the top mount and, if half done, those
   * on the layer beneath, as each of them may have been carried over or not. They are followed by mounts that the pod's spec asks
   * for and the kernel has dropped, as they exist on the node, with invalid ids.
   */
  readonly below: readonly Mount[];
  /** Mount paths below the site that the pod's spec asks for, but that are neither mounted nor found on the node. */
  readonly lost?: readonly string[];
  /** A FUSE mount that the path to the site crosses. */
  readonly fuseAbove?: Mount;
  /** Set for a container mount. */
  readonly volumeMount?: VolumeMount;
  /** The visible mount, if it is the volume's. */
  readonly removable?: RemovableMount;
  /** What two sources say about the site if they disagree about whose it is. */
  readonly conflict?: string;
  /** A mount of the volume that belongs to no site of the container, although this one has none. */
  readonly unattributed?: Mount;
}

/** Why a site is left alone; also a label of events and metrics. */
export type SkipReason =
  | 'source-not-live' // L4
  | 'gate-off' // E1
  | 'not-labelled' // A2
  | 'read-write' // L2
  | 'sub-path' // L3
  | 'unsupported-runtime'
  | 'identity-conflict'
  | 'mount-not-found'
  | 'pod-deleting'
  | 'hung'
  | 'nested-below-fuse'
  | 'subdirectory-missing'
  | 'idmap-unsupported'
  | 'inner-mount-unreachable'
  | 'locked-volume'; // CSI publish or unpublish holds the lock

/** `replace` puts the source's mount at the site. `finish` completes a replacement that was interrupted. */
export interface Action {
  readonly kind: 'replace' | 'finish';
  readonly diagnosis: Diagnosis;
  readonly source: LiveSource;
  readonly remove: RemovableMount;
}

/** A source that answered. `root`: the directory of its filesystem to mount at the site, beginning with `/`. */
export interface LiveSource {
  readonly path: string;
  readonly device: DeviceId;
  readonly root: string;
}

export interface Skip {
  readonly kind: 'skip';
  readonly diagnosis: Diagnosis;
  readonly reason: SkipReason;
  /** One sentence: what was refused, and what the user can do about it. */
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

/** A failed system call. */
export interface Failure {
  /** `ENOTCONN`, `ETIMEDOUT` ... */
  readonly errno: string;
  readonly call: string;
  readonly path: string;
  /** The step of the operation that made the call: `clone-source`, `attach-beneath`, `detach`, `read-statfs` ... */
  readonly step: string;
}

/** What started a pass. */
export type Trigger = 'start' | 'mount-table' | 'daemon-exit' | 'kubernetes' | 'resync' | 'confirm';

/** `active`: the target paths show the source. `standby`: they show another one. */
export type SourceRole = 'active' | 'standby';

/** What the engine reports as it happens; the only input of logs, metrics and Kubernetes events. */
export type Decision =
  | {
      readonly event: 'noticed';
      readonly trigger: Trigger;
      readonly volume: string;
      readonly source: SourceState;
      /** Missing if the volume has no standby. */
      readonly role?: SourceRole;
      /** Path of another source, which is live. */
      readonly other?: string;
      /** The connection had hung for longer than allowed and was aborted. */
      readonly aborted?: true;
    }
  /** Nothing in a container of this pod is touched, because what identifies it is contradictory. */
  | { readonly event: 'unidentified'; readonly podUid: string; readonly pid: number; readonly detail: string }
  /** A standby is not used. */
  | { readonly event: 'standby-refused'; readonly volume: Volume; readonly path: string; readonly detail: string }
  /** The roots of two live sources have different entries. */
  | { readonly event: 'standby-differs'; readonly volume: Volume; readonly active: string; readonly standby: string }
  /** The daemon at `from` has died, and sites were given the mount at `to`, which had been live before. */
  | {
      readonly event: 'failed-over';
      readonly volume: Volume;
      readonly from: string;
      readonly to: string;
      readonly sites: number;
      /** From when the engine began to act to the last mount call. */
      readonly took: Nanoseconds;
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
      /** From when the engine began to act on the live source to the proof. */
      readonly took: Nanoseconds;
      /** Files that could not be read and were passed over. */
      readonly unreadable?: readonly Failure[];
    }
  /** The mount was replaced, but its consumer could not yet be seen to read. `recovered` may follow. */
  | { readonly event: 'unproven'; readonly volume: Volume; readonly site: MountSite; readonly failure: Failure }
  /** A pod asked for what recovery may not do. `postponed`: it is tried again. */
  | {
      readonly event: 'fallback';
      readonly kind: 'restart-container' | 'evict';
      readonly result: 'done' | 'refused' | 'postponed' | 'failed';
      readonly volume: Volume;
      readonly site: MountSite;
      readonly detail: string;
    }
  | { readonly event: 'failed'; readonly volume: Volume; readonly site: MountSite; readonly failure: Failure }
  | {
      readonly event: 'passed';
      readonly trigger: Trigger;
      readonly took: Nanoseconds;
      /** Until the sources of the last volume had answered, including the time that a daemon takes to start. */
      readonly observed: Nanoseconds;
      readonly applied: Nanoseconds;
      readonly verified: Nanoseconds;
      readonly actions: number;
      readonly skips: number;
      readonly unhealthy: number;
      /** Set if the node's mount table could not be read, so that the pass did nothing. */
      readonly failure?: Failure;
    };
