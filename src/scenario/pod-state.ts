import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';

/** One line: the pod's phase, the state of each container and the conditions that are not met. */
export function formatPodState({ status }: V1Pod): string {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const conditions = (status?.conditions ?? []).filter(({ status, message }) => status === 'False' && message);
  return [
    `phase ${status?.phase ?? '(none)'}`,
    ...containers.map(formatContainerState),
    ...conditions.map(({ type, message }) => `not ${type}: ${message}`),
  ].join(', ');
}

function formatContainerState({ name, state, ready, restartCount }: V1ContainerStatus): string {
  const { waiting, terminated } = state ?? {};
  const restarts = restartCount > 0 ? ` after ${restartCount} restarts` : '';
  if (waiting) return `${name} waits${restarts}: ${waiting.reason ?? ''} ${waiting.message ?? ''}`.trim();
  if (terminated) return `${name} ended with status ${terminated.exitCode}${restarts}`;
  return `${name} ${ready ? 'is ready' : 'is not ready'}${restarts}`;
}

/** Status of a container or init container. */
export function containerOf({ status }: V1Pod, name: string | undefined): V1ContainerStatus | undefined {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.find((container) => container.name === name);
}
