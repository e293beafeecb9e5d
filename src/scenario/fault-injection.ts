import type { ContainerRef } from '../../clusters/cluster.ts';
import { monotonicNow } from '../../recovery/clock.ts';
import type { Fault, FaultContext, Injected } from '../faults/fault.ts';
import type { Session } from './session.ts';

/** The faults of a scenario and the containers whose restart is held back; both end with the scenario at the latest. */
export class FaultInjection {
  readonly #session: Session;
  readonly #holds: { readonly container: ContainerRef; readonly hold: AsyncDisposable }[] = [];
  readonly #injected: { readonly fault: Fault; readonly target: string; readonly injected: Injected }[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  /** Keeps the kubelet from restarting a container until `allowRestarts`. */
  async holdRestarts(container: ContainerRef): Promise<void> {
    this.#holds.push({ container, hold: await this.#session.cluster.holdRestarts(container) });
  }

  /** `pod`: only of this one. */
  async allowRestarts(pod?: string): Promise<void> {
    const isMeant = ({ container }: { readonly container: ContainerRef }) => pod === undefined || container.pod === pod;
    const released = this.#holds.filter(isMeant);
    this.#holds.splice(0, Number.POSITIVE_INFINITY, ...this.#holds.filter((held) => !isMeant(held)));
    for (const { hold } of released) await hold[Symbol.asyncDispose]();
  }

  /** Injects a fault and records it; a lasting fault ends with `heal`. */
  async inject(fault: Fault, context: Omit<FaultContext, 'cluster' | 'recordInjection'>): Promise<void> {
    const { cluster } = this.#session;
    const target = `${context.daemon.namespace}/${context.daemon.pod}`;
    const recordInjection = (at: number) => this.#record({ at, fault: fault.name, phase: 'injected', target });
    const injected = await fault.inject({ ...context, cluster, recordInjection });
    this.#injected.push({ fault, target, injected });
    recordInjection(injected.at);
  }

  /** Ends the lasting faults, the last first. */
  async heal(): Promise<void> {
    for (const { fault, target, injected } of this.#injected.splice(0).reverse()) {
      await injected[Symbol.asyncDispose]();
      if (!injected.lasts) continue;
      this.#record({ at: monotonicNow(), fault: fault.name, phase: 'healed', target });
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
