import { listAt, objectAt } from '../../recovery/kubernetes/json.ts';
import type { JsonPatch } from '../../recovery/webhook/mutate.ts';
import { answer, readReview, refuse } from '../../recovery/webhook/review.ts';
import { asksForVirtualNode, virtualNode } from './virtual-node.ts';

/** Where such a pod is sent, and the taint that it gets over there. */
export function toVirtualNode(pod: unknown): JsonPatch {
  if (!asksForVirtualNode(objectAt(pod, 'metadata', 'annotations'))) return [];
  const spec = objectAt(pod, 'spec');
  const nodeSelector = { ...objectAt(spec, 'nodeSelector'), [virtualNode.label]: virtualNode.value };
  const tolerations = [...listAt(spec, 'tolerations'), { key: virtualNode.taint, operator: 'Exists' }];
  return [
    { op: 'add', path: '/spec/nodeSelector', value: nodeSelector },
    { op: 'add', path: '/spec/tolerations', value: tolerations },
  ];
}

/** The answer to an AdmissionReview, for ACK's own scheduling of such pods: pods that do not ask for a virtual node stay as they are. */
export function admitToVirtualNode(body: string): object {
  const asked = readReview(body);
  switch (asked.ask) {
    case 'pod':
      return answer(asked.uid, { allowed: true, warnings: [] }, toVirtualNode(asked.pod.pod));
    case 'nothing':
      return answer(asked.uid, { allowed: true, warnings: [] });
    case 'unreadable':
      return refuse(asked.uid ?? '', 400, asked.message);
  }
}
