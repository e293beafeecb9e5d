import { listAt, objectAt } from '../../recovery/kubernetes/json.ts';
import type { JsonPatch } from '../../recovery/webhook/pod.ts';
import { createErrorResponse, createResponse, parseReview } from '../../recovery/webhook/review.ts';

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
  const review = parseReview(body);
  switch (review.kind) {
    case 'pod':
      return createResponse(review.uid, { allowed: true, warnings: [] }, patchForVirtualNode(review.pod.pod));
    case 'irrelevant':
      return createResponse(review.uid, { allowed: true, warnings: [] });
    case 'invalid':
      return createErrorResponse(review.uid ?? '', 400, review.message);
  }
}
