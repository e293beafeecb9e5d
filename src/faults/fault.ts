import type { AgentOptions, ContainerRef, FaultyStore, RunningCluster } from '../../clusters/cluster.ts';

/** What a fault is done to. */
export interface FaultContext {
  readonly cluster: RunningCluster;
  /** The FUSE daemon's container. */
  readonly daemon: ContainerRef;
  /** Those of the scenario's other datasets. */
  readonly otherDaemons: readonly ContainerRef[];
  /** A pod that mounts the dataset. */
  readonly application: ContainerRef;
  /** The agent's flags that are in force. */
  readonly agent: AgentOptions;
  /** The dataset's way to its object store, where that can be made to fail. */
  readonly store: FaultyStore | undefined;
  /** Records a moment of a fault that has several, but for the last. */
  readonly struck: (at: number) => void;
}

/** A fault that was done. Disposing of it heals what does not heal by itself, and does nothing where all does. */
export interface Injected extends AsyncDisposable {
  /** Absolute monotonic nanoseconds, right before it was done: nothing that comes of it is earlier. */
  readonly at: number;
  /** Until it is healed; otherwise it was over as soon as it was done. */
  readonly lasts: boolean;
}

/** A way in which a FUSE mount is lost, or its recovery is disturbed. */
export interface Fault {
  readonly name: string;
  /** One sentence for `--help` and reports: what is done, and what it stands for. */
  readonly title: string;
  /** Seed claims that it is about. */
  readonly claims: readonly string[];
  /** What has to come of it, by these claims. */
  readonly expected: string;
  /** The daemon ends and is started again, so that `rekindle crash` can show it by itself. */
  readonly isCrash: boolean;
  /** It needs nothing that a scenario would have to set up and ends no application: a crash can be combined with it anywhere. */
  readonly goesWithAny?: true;
  inject(context: FaultContext): Promise<Injected>;
}

/** Done at a moment, with nothing that would have to be healed. */
export function over(at: number): Injected {
  return { at, lasts: false, [Symbol.asyncDispose]: async () => {} };
}

/** Done at a moment; `heal` is done at most once. */
export function until(at: number, heal: () => PromiseLike<unknown>): Injected {
  const stack = new AsyncDisposableStack();
  stack.defer(async () => void (await heal()));
  return { at, lasts: true, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Monotonic nanoseconds. */
export function now(): number {
  return Number(process.hrtime.bigint());
}
