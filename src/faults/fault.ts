import type { ContainerRef, RunningCluster } from '../../clusters/cluster.ts';

/** What a fault is done to. */
export interface FaultContext {
  readonly cluster: RunningCluster;
  /** The FUSE daemon's container. */
  readonly daemon: ContainerRef;
}

/** A way in which a FUSE daemon dies. */
export interface Fault {
  readonly name: string;
  /** One sentence for `--help` and reports: what is done, and what it stands for. */
  readonly title: string;
  /** Seed claims that it is about. */
  readonly claims: readonly string[];
  /** Does it; resolves with the monotonic time in nanoseconds right after it was done. */
  inject(context: FaultContext): Promise<number>;
}
