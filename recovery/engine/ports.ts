import type {
  Container,
  Decision,
  DeviceId,
  Failure,
  KernelTier,
  Liveness,
  LiveSource,
  LookUp,
  Mount,
  MountSite,
  Nanoseconds,
  Pod,
  RemovableMount,
  Volume,
  VolumeRecord,
} from './model.ts';

/** The result of system calls, whose failures are data. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

/** The replacement of one mount, or the completion of one that was interrupted. */
export interface Replacement {
  readonly kind: 'replace' | 'finish';
  readonly site: MountSite;
  /** The expected mounts at the site, bottom first; the call fails with ESTALE if they have changed. */
  readonly stack: readonly Mount[];
  /** Other mounts below the site, to be carried over (facts: kernel M1). */
  readonly below: readonly Mount[];
  readonly source: LiveSource;
  /** The last of `stack`. */
  readonly remove: RemovableMount;
  readonly readOnly: boolean;
  /** Other mounts on the node that contain what `below` shows, for those that are unreachable. */
  readonly elsewhere: readonly Mount[];
}

export interface Replaced {
  readonly site: MountSite;
  readonly took: Nanoseconds;
  readonly layers: readonly [before: number, after: number];
}

/** The question whether a connection answers, through one of its mounts. */
export interface AskRequest {
  readonly site: MountSite | { readonly kind: 'source'; readonly path: string };
  readonly device: DeviceId;
  /** The only user that the mount admits, if it does not admit root. */
  readonly user?: Pick<Container['user'], 'uid' | 'gid'>;
  readonly deadline: Nanoseconds;
}

/** What a read found out. */
export interface ReadAnswer {
  /** The device that answered. */
  readonly device: DeviceId;
  /** Equal for mounts whose first batch of directory entries has the same names; missing if it is a single file. */
  readonly listing?: string;
  /** Files that the proof passed over, because they could not be read, with the error of each. */
  readonly unreadable?: readonly Failure[];
}

/** A consumer's read: one getdents, and one byte of any of several files. */
export interface ReadRequest extends Pick<AskRequest, 'site'> {
  readonly user?: Container['user'];
  /** The connection that serves the read; at most one read is outstanding for each. */
  readonly device: DeviceId;
  readonly deadline: Nanoseconds;
}

/**
 * How thoroughly containers are scanned. `fresh`: all processes, and the tables of all containers. `new`: all processes, but only
 * the tables of containers that are new, were created a moment ago, or had a mount replaced; the other tables are those of the
 * last scan, and a replacement fails with ESTALE if one is outdated. `known`: the tables of the containers of the last scan.
 */
export type ContainerScope = 'fresh' | 'new' | 'known';

/** What the engine needs of the kernel. Only `ask` and `read` wait for FUSE daemons, and they have a deadline. */
export interface KernelPort {
  readonly tier: KernelTier;
  /** The node's mount table, read again only after the kernel has reported a change. */
  hostMounts(): Result<readonly Mount[]>;
  /**
   * The running containers of pods; the same array as before if nothing has changed. Other processes are not examined
   * (facts: node, Kubernetes).
   */
  containers(scope: ContainerScope): readonly Container[];
  /** Reads most of what `containers('fresh')` needs, in short slices. Without it a scan is one long turn of the event loop. */
  prepareContainers(): Promise<void>;
  /**
   * Answers a look-up without blocking. For `record` any failure means that nothing is known: the file is missing, empty, unreadable, not
   * a record, or not in the kubelet's own directory. For `mount` the path leads to no mount, or a daemon would have to be asked.
   * Never rejects.
   */
  lookUp(lookUp: LookUp): Promise<Result<VolumeRecord | { readonly mountPoint: string }>>;
  /**
   * Makes in advance what `replaceAll` will need for these replacements, and drops what it holds for any other. Some are made in each
   * call; false if more remain, so that it must be called again.
   */
  prepare(wanted: readonly Replacement[]): boolean;
  /** Clones all sources, then replaces all mounts; one result each, in order. Idempotent, and safe to kill between any two calls. */
  replaceAll(replacements: readonly Replacement[]): readonly Result<Replaced>[];
  /** Asks the daemon, but not the store behind it, by statfs. Never waits for another connection or for a read. Never rejects. */
  ask(request: AskRequest): Promise<Liveness>;
  /** ETIMEDOUT: the read takes longer, whether or not the daemon answers. Never rejects. */
  read(request: ReadRequest): Promise<Result<ReadAnswer>>;
  /** Aborts a FUSE connection, so that every call on it fails. */
  abort(device: DeviceId): Result<void>;
  /** Calls back after the node's mount table changed (POLLPRI). */
  watchMounts(changed: () => void): Disposable;
  /**
   * Calls back once when the daemon of a connection exits (pidfd), or any FUSE daemon if the kernel does not show whose connection it
   * is; or if there is no such process, because it has exited already or is hidden.
   */
  watchDaemon(device: DeviceId, ended: (how: 'exited' | 'absent') => void): Disposable;
}

/** The cluster's view of this node, kept in memory by watches. */
export interface KubernetesPort {
  /** The same object until something changes. */
  view(): {
    readonly volumes: readonly Volume[];
    readonly pods: readonly Pod[];
    /** Names of volumes that exist and could not be read yet; only if those matter that no pod of this node uses. */
    readonly unreadVolumes?: readonly string[];
  };
  /** Calls back after the view changed. */
  watch(changed: () => void): Disposable;
}

export interface ClockPort {
  /** CLOCK_MONOTONIC. */
  now(): Nanoseconds;
  /** Calls back after a delay, unless disposed of before. */
  after(delay: Nanoseconds, callback: () => void): Disposable;
}

/** Receives decisions. Must neither block nor throw. */
export type Recorder = (decision: Decision) => void;

/** Locks of volumes by `Volume.handle`, shared with CSI publish and unpublish. */
export interface VolumeLocks {
  /** Undefined if the lock is held. Disposing of the lock releases it. */
  tryAcquire(handle: string): Disposable | undefined;
}
