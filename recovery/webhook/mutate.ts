import { textAt } from '../kubernetes/json.ts';
import { type ClusterState, datasetVolumes } from './facts.ts';
import { type JsonPatch, type NewPod, type PodVolumeMount, podKind } from './pod.ts';
import { planSidecars } from './sidecar-plan.ts';

/** How a pod is changed at its creation. Pure. Empty for a pod that `admit` denies and for one that was changed before. */
export function mutate(pod: NewPod, facts: ClusterState): JsonPatch {
  switch (podKind(pod.pod)) {
    case 'labelled':
      return datasetVolumes(pod, facts).flatMap(({ mounts }) =>
        mounts
          .filter((mount) => checkPropagation(mount).mustSet)
          .map(({ container, index }) => ({
            op: 'add' as const,
            path: `/spec/${container.kind}/${container.index}/volumeMounts/${index}/mountPropagation`,
            value: 'HostToContainer',
          })),
      );
    case 'serverless':
      return planSidecars(pod, facts).patch;
    case 'other':
      return [];
  }
}

/**
 * Whether a volumeMount must be set to HostToContainer, so that a new mount on the node reaches the container. A value that
 * the author chose is kept: Bidirectional works as well, None causes a warning. Kubernetes rejects `recursiveReadOnly`
 * together with any propagation.
 */
export function checkPropagation({ container, value }: PodVolumeMount): {
  readonly mustSet: boolean;
  readonly warning?: string;
} {
  const propagation = textAt(value, 'mountPropagation');
  const recursive = textAt(value, 'recursiveReadOnly') ?? 'Disabled';
  if (propagation === undefined && recursive === 'Disabled') return { mustSet: true };
  if (propagation !== undefined && propagation !== 'None') return { mustSet: false };
  const [cause, remedy] =
    propagation === undefined
      ? [`recursiveReadOnly ${recursive}`, 'set readOnly only']
      : ['mountPropagation None', 'remove the field'];
  const volume = textAt(value, 'name') ?? '';
  return {
    mustSet: false,
    warning: `container "${container.name}" mounts volume "${volume}" with ${cause}, so no new mount on the node reaches it and only an agent that enters the container can recover it: ${remedy}`,
  };
}
