import type { AgentSettings, ContainerRef, FaultyStore, ProcessRef, RunningCluster } from '../../clusters/cluster.ts';

/** The targets that a fault may strike. */
export interface FaultContext {
  readonly cluster: RunningCluster;
  /** The FUSE daemon: process 1 of a container, or a process of the node, for faults that only signal it. */
  readonly daemon: ProcessRef;
  /** The daemons of the scenario's other datasets. */
  readonly otherDaemons: readonly ContainerRef[];
  /** A pod that mounts the dataset. */
  readonly application: ContainerRef;
  /** The agent's flags in force. */
  readonly agent: AgentSettings;
  /** The dataset's proxy to its object store, if it has one. */
  readonly store: FaultyStore | undefined;
  /** Records all but the last moment of a fault that strikes several times. */
  readonly recordInjection: (at: number) => void;
}

/** An injected fault. Disposing of it heals a lasting fault, and does nothing for a momentary one. */
export interface Injected extends AsyncDisposable {
  /** Absolute monotonic nanoseconds, read right before the injection: no effect of the fault is earlier. */
  readonly at: number;
  /** Whether the fault lasts until it is healed. */
  readonly lasts: boolean;
}

/** A way to lose a FUSE mount, or to disturb its recovery. */
export interface Fault {
  readonly name: string;
  /** The step of a scenario that injects it, for the parameter type `{fault}`. */
  readonly step: string;
  /** One sentence for `--help` and reports: what is done, and what it stands for. */
  readonly title: string;
  /** Seed claims that it tests. */
  readonly claims: readonly string[];
  /** The result that these claims demand. */
  readonly expected: string;
  /** Whether the daemon ends and is restarted, so that `rekindle crash` can reproduce it. */
  readonly isCrash: boolean;
  /** Whether any crash can be combined with it: it needs no preparation by a scenario and ends no application. */
  readonly goesWithAny?: true;
  inject(context: FaultContext): Promise<Injected>;
}

/** A fault that needs no healing. */
export function momentary(at: number): Injected {
  return { at, lasts: false, [Symbol.asyncDispose]: async () => {} };
}

/** A fault that lasts until `heal`, which is called at most once. */
export function lasting(at: number, heal: () => PromiseLike<unknown>): Injected {
  const stack = new AsyncDisposableStack();
  stack.defer(async () => void (await heal()));
  return { at, lasts: true, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
