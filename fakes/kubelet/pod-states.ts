import type { V1Container, V1ContainerStatus, V1Pod, V1PodStatus } from '@kubernetes/client-node';

export interface PodStatesOptions {
  readonly pod: V1Pod;
  /** Restart counts from an earlier worker of the pod. */
  readonly restarts: ReadonlyMap<string, number>;
  readonly updateStatus: (pod: V1Pod, status: V1PodStatus) => Promise<void>;
}

/** The states of a pod's containers and init containers. Reports each change to the API server, in order. */
export class PodStates {
  readonly #options: PodStatesOptions;
  readonly #init: ReadonlySet<string>;
  readonly #sidecars: ReadonlySet<string>;
  readonly #states: Map<string, ContainerState>;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: PodStatesOptions) {
    const { initContainers = [], containers = [] } = options.pod.spec ?? {};
    this.#options = options;
    this.#init = new Set(initContainers.map(({ name }) => name));
    this.#sidecars = new Set(initContainers.filter(isSidecar).map(({ name }) => name));
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
    this.report();
  }

  /** Reports the current status to the API server. */
  report(): void {
    const { pod, updateStatus } = this.#options;
    const status = podStatus({
      init: [...this.#states.values()].filter(({ name }) => this.#init.has(name)),
      sidecars: this.#sidecars,
      containers: [...this.#states.values()].filter(({ name }) => !this.#init.has(name)),
      restartPolicy: pod.spec?.restartPolicy ?? 'Always',
    });
    this.#queue = this.#queue.then(() => updateStatus(pod, status)).catch(() => {});
  }

  /** Resolves when all changes have been reported. */
  async reported(): Promise<void> {
    await this.#queue;
  }

  /** The restart counts that the containers will have when they are started after a power loss. */
  afterPowerOff(): ReadonlyMap<string, number> {
    return new Map([...this.#states.values()].map(({ name, restartCount, id }) => [name, restartCount + (id ? 1 : 0)]));
  }
}

/** The kubelet's knowledge of one container. */
export interface ContainerState {
  readonly name: string;
  readonly image: string;
  readonly id?: string;
  readonly restartCount: number;
  readonly state:
    | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string }
    | { readonly kind: 'running'; readonly startedAt: Date }
    | { readonly kind: 'terminated'; readonly exitCode: number; readonly finishedAt: Date };
}

/** The containers of a pod, in the order of its spec. */
interface PodContainers {
  /** Native sidecars included. */
  readonly init: readonly ContainerState[];
  /** Names of the native sidecars. */
  readonly sidecars: ReadonlySet<string>;
  readonly containers: readonly ContainerState[];
  readonly restartPolicy: string;
}

/** A pod's status as the kubelet reports it. */
export function podStatus({ init, sidecars, containers, restartPolicy }: PodContainers): V1PodStatus {
  const native = init.filter(({ name }) => sidecars.has(name));
  const ready = [...native, ...containers].every(isRunning);
  return {
    phase: phaseOf(containers, native, restartPolicy),
    conditions: [
      { type: 'Ready', status: ready ? 'True' : 'False' },
      { type: 'ContainersReady', status: ready ? 'True' : 'False' },
    ],
    ...(init.length > 0 && {
      initContainerStatuses: init.map((each) => (sidecars.has(each.name) ? containerStatus(each) : initStatus(each))),
    }),
    containerStatuses: containers.map(containerStatus),
  };
}

const isRunning = ({ state }: ContainerState) => state.kind === 'running';

/** A pod has ended when its containers have, and then its sidecars. */
function phaseOf(
  containers: readonly ContainerState[],
  sidecars: readonly ContainerState[],
  restartPolicy: string,
): string {
  if (
    restartPolicy !== 'Always' &&
    containers.every(({ state }) => state.kind === 'terminated') &&
    !sidecars.some(isRunning)
  ) {
    const failed = containers.some(({ state }) => state.kind === 'terminated' && state.exitCode !== 0);
    return failed ? 'Failed' : 'Succeeded';
  }
  return containers.some(({ state, restartCount }) => state.kind !== 'waiting' || restartCount > 0)
    ? 'Running'
    : 'Pending';
}

/** An init container is ready when it has succeeded. */
function initStatus(container: ContainerState): V1ContainerStatus {
  const { state } = container;
  return { ...containerStatus(container), ready: state.kind === 'terminated' && state.exitCode === 0 };
}

function containerStatus({ name, image, id, restartCount, state }: ContainerState): V1ContainerStatus {
  return {
    name,
    image,
    imageID: '',
    restartCount,
    ready: state.kind === 'running',
    started: state.kind === 'running',
    ...(id && { containerID: `rekindle://${id}` }),
    state:
      state.kind === 'running'
        ? { running: { startedAt: state.startedAt } }
        : state.kind === 'waiting'
          ? { waiting: { reason: state.reason, ...(state.message && { message: state.message }) } }
          : {
              terminated: {
                exitCode: state.exitCode,
                finishedAt: state.finishedAt,
                reason: state.exitCode === 0 ? 'Completed' : 'Error',
              },
            },
  };
}

/** The address `<namespace>/<pod>/<container>` of a container in messages and events. */
export function containerName(pod: V1Pod, container: string): string {
  return `${pod.metadata?.namespace ?? 'default'}/${pod.metadata?.name ?? ''}/${container}`;
}

/** An init container that runs beside the others until they have ended: a native sidecar, since Kubernetes 1.29. */
export const isSidecar = ({ restartPolicy }: V1Container) => restartPolicy === 'Always';
