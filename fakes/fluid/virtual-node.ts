import { listAt, objectAt } from '../../recovery/kubernetes/json.ts';
import type { JsonPatch } from '../../recovery/webhook/mutate.ts';
import { answer, readReview, refuse } from '../../recovery/webhook/review.ts';

/**
 * A node without a kubelet of its own: its label, the taint that keeps ordinary pods off it, and the annotation by which a pod asks
 * for it (ACK: `eci_only`).
 */
export const virtualNode = {
  label: 'type',
  value: 'virtual-kubelet',
  taint: 'virtual-kubelet.io/provider',
  annotation: 'alibabacloud.com/burst-resource',
  annotationValue: 'eci_only',
} as const;

export const asksForVirtualNode = (annotations: Readonly<Record<string, unknown>> | undefined): boolean =>
  annotations?.[virtualNode.annotation] === virtualNode.annotationValue;

/** Selects the virtual node and tolerates its taint, if the pod asks for one. */
export function patchForVirtualNode(pod: unknown): JsonPatch {
  if (!asksForVirtualNode(objectAt(pod, 'metadata', 'annotations'))) return [];
  const spec = objectAt(pod, 'spec');
  const nodeSelector = { ...objectAt(spec, 'nodeSelector'), [virtualNode.label]: virtualNode.value };
  const tolerations = [...listAt(spec, 'tolerations'), { key: virtualNode.taint, operator: 'Exists' }];
  return [
    { op: 'add', path: '/spec/nodeSelector', value: nodeSelector },
    { op: 'add', path: '/spec/tolerations', value: tolerations },
  ];
}

/** Answers an AdmissionReview in place of ACK's scheduling of serverless pods. Other pods stay unchanged. */
export function admitToVirtualNode(body: string): object {
  const asked = readReview(body);
  switch (asked.ask) {
    case 'pod':
      return answer(asked.uid, { allowed: true, warnings: [] }, patchForVirtualNode(asked.pod.pod));
    case 'nothing':
      return answer(asked.uid, { allowed: true, warnings: [] });
    case 'unreadable':
      return refuse(asked.uid ?? '', 400, asked.message);
  }
}
