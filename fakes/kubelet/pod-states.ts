import type { V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { type ContainerState, podStatus } from './status.ts';

export interface PodStatesOptions {
  readonly pod: V1Pod;
  /** How often each container was started before, in a worker that is gone. */
  readonly restarts: ReadonlyMap<string, number>;
  readonly updateStatus: (pod: V1Pod, status: V1PodStatus) => Promise<void>;
}

/** What the kubelet knows of a pod's containers, init containers too; each change is told to the API server, one after the other. */
export class PodStates {
  readonly #options: PodStatesOptions;
  readonly #init: ReadonlySet<string>;
  readonly #states: Map<string, ContainerState>;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: PodStatesOptions) {
    const { initContainers = [], containers = [] } = options.pod.spec ?? {};
    this.#options = options;
    this.#init = new Set(initContainers.map(({ name }) => name));
    const reason = initContainers.length > 0 ? 'PodInitializing' : 'ContainerCreating';
    this.#states = new Map(
      [...initContainers, ...containers].map(({ name, image = '' }) => {
        const restartCount = options.restarts.get(name) ?? 0;
        return [name, { name, image, restartCount, state: { kind: 'waiting', reason } }];
      }),
    );
  }

  get names(): readonly string[] {
    return [...this.#states.keys()];
  }

  restartCount(name: string): number {
    return this.#states.get(name)?.restartCount ?? 0;
  }

  set(name: string, change: Partial<ContainerState>): void {
    const before = this.#states.get(name);
    if (before) this.#states.set(name, { ...before, ...change });
    this.tell();
  }

  /** Tells the API server how things are. */
  tell(): void {
    const { pod, updateStatus } = this.#options;
    const status = podStatus({
      init: [...this.#states.values()].filter(({ name }) => this.#init.has(name)),
      containers: [...this.#states.values()].filter(({ name }) => !this.#init.has(name)),
      restartPolicy: pod.spec?.restartPolicy ?? 'Always',
    });
    this.#queue = this.#queue.then(() => updateStatus(pod, status)).catch(() => {});
  }

  /** Resolves when all of it was told. */
  async told(): Promise<void> {
    await this.#queue;
  }

  /** How often each container is to have been started, once all of them are started after a loss of power. */
  afterPowerOff(): ReadonlyMap<string, number> {
    return new Map([...this.#states.values()].map(({ name, restartCount, id }) => [name, restartCount + (id ? 1 : 0)]));
  }
}
