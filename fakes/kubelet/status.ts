import type { V1ContainerStatus, V1Pod, V1PodStatus } from '@kubernetes/client-node';

/** What the kubelet knows of one container. */
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

/** A pod's containers, in the order of its spec. */
export interface PodContainers {
  readonly init: readonly ContainerState[];
  readonly containers: readonly ContainerState[];
  readonly restartPolicy: string;
}

/** A pod's status as the kubelet reports it. */
export function podStatus({ init, containers, restartPolicy }: PodContainers): V1PodStatus {
  const ready = containers.every(({ state }) => state.kind === 'running');
  return {
    phase: phaseOf(containers, restartPolicy),
    conditions: [
      { type: 'Ready', status: ready ? 'True' : 'False' },
      { type: 'ContainersReady', status: ready ? 'True' : 'False' },
    ],
    ...(init.length > 0 && { initContainerStatuses: init.map(initStatus) }),
    containerStatuses: containers.map(containerStatus),
  };
}

function phaseOf(containers: readonly ContainerState[], restartPolicy: string): string {
  if (restartPolicy !== 'Always' && containers.every(({ state }) => state.kind === 'terminated')) {
    const failed = containers.some(({ state }) => state.kind === 'terminated' && state.exitCode !== 0);
    return failed ? 'Failed' : 'Succeeded';
  }
  return containers.some(({ state, restartCount }) => state.kind !== 'waiting' || restartCount > 0)
    ? 'Running'
    : 'Pending';
}

/** An init container is ready once it has done its work. */
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

/** The address of a container in messages and events. */
export function containerName(pod: V1Pod, container: string): string {
  return `${pod.metadata?.namespace ?? 'default'}/${pod.metadata?.name ?? ''}/${container}`;
}
