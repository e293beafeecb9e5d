import type { AgentOptions, ContainerRef, FaultyStore } from '../../clusters/cluster.ts';
import type { Fault, Injected } from '../faults/fault.ts';
import type { Session } from '../run/session.ts';

/** What is struck: a dataset's daemon, and what a fault may need beside it. */
export interface Target {
  readonly daemon: ContainerRef;
  readonly otherDaemons: readonly ContainerRef[];
  readonly application: ContainerRef;
  readonly agent: AgentOptions;
  readonly store: FaultyStore | undefined;
}

/** The faults of a scenario, and what keeps a daemon away: all of it ends with the scenario, if not before. */
export class Strikes {
  readonly #session: Session;
  readonly #held: AsyncDisposable[] = [];
  readonly #injected: { readonly fault: Fault; readonly target: string; readonly injected: Injected }[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  /** The kubelet does not start the container again until `release`. */
  async hold(daemon: ContainerRef): Promise<void> {
    this.#held.push(await this.#session.cluster.holdRestarts(daemon));
  }

  async release(): Promise<void> {
    for (const hold of this.#held.splice(0)) await hold[Symbol.asyncDispose]();
  }

  /** Injects a fault and records it; what does not heal by itself is healed by `heal`. */
  async strike(fault: Fault, { daemon, ...others }: Target): Promise<void> {
    const { cluster } = this.#session;
    const target = `${daemon.namespace}/${daemon.pod}`;
    const struck = (at: number) => this.#record({ at, fault: fault.name, phase: 'injected', target });
    const injected = await fault.inject({ cluster, daemon, ...others, struck });
    this.#injected.push({ fault, target, injected });
    struck(injected.at);
  }

  /** Ends the faults that do not end by themselves, the last first. */
  async heal(): Promise<void> {
    for (const { fault, target, injected } of this.#injected.splice(0).reverse()) {
      await injected[Symbol.asyncDispose]();
      if (!injected.lasts) continue;
      this.#record({ at: Number(process.hrtime.bigint()), fault: fault.name, phase: 'healed', target });
    }
  }

  #record(event: {
    readonly at: number;
    readonly fault: string;
    readonly phase: 'injected' | 'healed';
    readonly target: string;
  }) {
    this.#session.onEvent({ kind: 'fault', ...event });
  }
}
