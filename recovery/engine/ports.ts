import type {
  Container,
  Decision,
  DeviceId,
  Failure,
  KernelTier,
  LiveSource,
  Mount,
  MountSite,
  Nanoseconds,
  Pod,
  Volume,
} from './model.ts';

/** A result as a value: system calls fail, and that is data. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

/** One mount to be replaced, or one half-done replacement to be finished. */
export interface Replacement {
  readonly kind: 'replace' | 'finish';
  readonly site: MountSite;
  /** The mounts at the site as they were seen, bottom first; the call fails with ESTALE where they are no longer so. */
  readonly stack: readonly Mount[];
  /** Other mounts below the site, carried over (facts: kernel M1). */
  readonly below: readonly Mount[];
  readonly source: LiveSource;
  readonly readOnly: boolean;
  /** Where else the node mounts what `below` shows, or a directory above it: for those that cannot be reached any more. */
  readonly elsewhere: readonly Mount[];
}

export interface Replaced {
  readonly site: MountSite;
  readonly took: Nanoseconds;
  readonly layers: readonly [before: number, after: number];
}

/** A read that proves something: statfs, one getdents, one byte of a file where there is one. */
export interface ReadRequest {
  /** `target`: in the node's mount namespace, as root. `container`: in the container's, as its user. */
  readonly site: MountSite | { readonly kind: 'source'; readonly path: string };
  readonly user?: Container['user'];
  /**
   * `answer`: statfs only, which always asks the daemon, and nothing of what is behind it. `content`, where it is not said:
   * also one getdents, and one byte of a file where there is one.
   */
  readonly proof?: 'answer' | 'content';
  /** The connection that the read goes to: at most one outstanding read for each. */
  readonly device: DeviceId;
  readonly deadline: Nanoseconds;
}

/**
 * How closely the containers are looked at. `fresh`: all processes are scanned and all tables read. `new`: all processes are
 * scanned, and the tables read of containers that are new, were made a moment ago, or have had a mount replaced; the others are
 * as they were last. A replacement that such a table is too old for fails with ESTALE. `known`: the tables of containers known from before are read.
 */
export type ContainerScope = 'fresh' | 'new' | 'known';

/** The kernel, as narrow as the engine needs it. Nothing here blocks on a FUSE daemon except `read`, which has a deadline. */
export interface KernelPort {
  readonly tier: KernelTier;
  /** The node's mount table; read again only when the kernel says that it changed. */
  hostMounts(): Result<readonly Mount[]>;
  /**
   * The running containers of pods; the same array as before where nothing has changed. Only containers are looked into
   * (facts: node, Kubernetes).
   */
  containers(scope: ContainerScope): readonly Container[];
  /** Clones all, replaces all; one outcome for each, in order. Idempotent, and safe to be killed between any two calls. */
  replaceAll(replacements: readonly Replacement[]): readonly Result<Replaced>[];
  /** `ok` with the device that answered, or errno and step; ETIMEDOUT is a hang. Never rejects. */
  read(request: ReadRequest): Promise<Result<DeviceId>>;
  /** Aborts a FUSE connection: every call on it ends with an error. */
  abort(device: DeviceId): Result<void>;
  /** Calls back after the node's mount table changed (POLLPRI). */
  watchMounts(changed: () => void): Disposable;
  /** Calls back once when the daemon of a connection exits (pidfd); does nothing where the daemon is not to be found. */
  watchDaemon(device: DeviceId, exited: () => void): Disposable;
}

/** What the cluster says about this node, from watches; answers at once from memory. */
export interface KubernetesPort {
  view(): { readonly volumes: readonly Volume[]; readonly pods: readonly Pod[] };
  /** Calls back after the view changed. */
  watch(changed: () => void): Disposable;
}

export interface ClockPort {
  /** CLOCK_MONOTONIC. */
  now(): Nanoseconds;
  /** Calls back after a while. */
  after(delay: Nanoseconds, callback: () => void): Disposable;
}

/** Where decisions go. Must not block and must not throw. */
export type Recorder = (decision: Decision) => void;

/** One volume at a time, shared with CSI publish and unpublish. Keyed by `Volume.handle`. */
export interface VolumeLocks {
  /** The lock, to be disposed of, or undefined where another holds it. */
  tryAcquire(handle: string): Disposable | undefined;
}
