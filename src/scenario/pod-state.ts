import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';

/** A pod's phase and what each of its containers waits for or ended with, in a line. */
export function podState({ status }: V1Pod): string {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const conditions = (status?.conditions ?? []).filter(({ status, message }) => status === 'False' && message);
  return [
    `phase ${status?.phase ?? '(none)'}`,
    ...containers.map(containerState),
    ...conditions.map(({ type, message }) => `not ${type}: ${message}`),
  ].join(', ');
}

function containerState({ name, state, ready, restartCount }: V1ContainerStatus): string {
  const { waiting, terminated } = state ?? {};
  const restarts = restartCount > 0 ? ` after ${restartCount} restarts` : '';
  if (waiting) return `${name} waits${restarts}: ${waiting.reason ?? ''} ${waiting.message ?? ''}`.trim();
  if (terminated) return `${name} ended with status ${terminated.exitCode}${restarts}`;
  return `${name} ${ready ? 'is ready' : 'is not ready'}${restarts}`;
}

/** The status of a pod's container, init containers too. */
export function containerOf({ status }: V1Pod, name: string | undefined): V1ContainerStatus | undefined {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.find((container) => container.name === name);
}
