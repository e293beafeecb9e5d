import type { Nanoseconds, Pod, Volume } from '../../../recovery/engine/model.ts';
import type { KubernetesPort } from '../../../recovery/engine/ports.ts';
import type { ModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import { type ModelledNode, milliseconds } from './modelled-node.ts';

/** Milliseconds after which a change arrives. */
const latency = 40;

/** What the agent knows of the API's objects: it lags behind, and stays as it was while the API server is silent. */
export class ModelledApi implements KubernetesPort {
  readonly #clock: ModelledClock;
  readonly #node: ModelledNode;
  readonly #watchers = new Set<() => void>();
  #seen: { readonly volumes: readonly Volume[]; readonly pods: readonly Pod[] };
  #isSilent = false;

  constructor(clock: ModelledClock, node: ModelledNode) {
    this.#clock = clock;
    this.#node = node;
    this.#seen = { volumes: node.volumes, pods: [] };
  }

  set isSilent(isSilent: boolean) {
    this.#isSilent = isSilent;
    if (!isSilent) this.changed();
  }

  changed(): void {
    this.#clock.after(milliseconds(latency) as Nanoseconds, () => {
      if (this.#isSilent) return;
      this.#seen = { volumes: this.#node.volumes, pods: this.#node.pods.map(({ spec }) => spec) };
      for (const watcher of [...this.#watchers]) watcher();
    });
  }

  view() {
    return this.#seen;
  }

  watch(changed: () => void): Disposable {
    this.#watchers.add(changed);
    return { [Symbol.dispose]: () => void this.#watchers.delete(changed) };
  }
}
