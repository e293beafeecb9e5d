import { expect, test } from 'vitest';
import { admitToVirtualNode, patchForVirtualNode } from './virtual-node.ts';

const review = (pod: object) =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u', operation: 'CREATE', namespace: 'rk-a', kind: { version: 'v1', kind: 'Pod' }, object: pod },
  });
const serverless = {
  metadata: { annotations: { 'alibabacloud.com/burst-resource': 'eci_only' } },
  spec: { nodeSelector: { disk: 'ssd' }, tolerations: [{ key: 'other' }], containers: [{ name: 'demo' }] },
};

test('sends a pod that asks for a virtual node to one, and keeps its own selector and tolerations', () => {
  expect(patchForVirtualNode(serverless)).toEqual([
    { op: 'add', path: '/spec/nodeSelector', value: { disk: 'ssd', type: 'virtual-kubelet' } },
    {
      op: 'add',
      path: '/spec/tolerations',
      value: [{ key: 'other' }, { key: 'virtual-kubelet.io/provider', operator: 'Exists' }],
    },
  ]);
});

test('leaves other pods unchanged', () => {
  const pod = { metadata: { annotations: { 'alibabacloud.com/burst-resource': 'eci' } }, spec: { containers: [{}] } };
  expect(patchForVirtualNode(pod)).toEqual([]);
  expect(admitToVirtualNode(review(pod))).toMatchObject({ response: { uid: 'u', allowed: true } });
});

test('encodes the patch as the API server expects it', () => {
  const { response } = admitToVirtualNode(review(serverless)) as { response: { patch: string; patchType: string } };
  expect(response.patchType).toBe('JSONPatch');
  expect(JSON.parse(Buffer.from(response.patch, 'base64').toString())).toEqual(patchForVirtualNode(serverless));
});

test('refuses a body that is not a review', () => {
  expect(admitToVirtualNode('{')).toMatchObject({ response: { allowed: false } });
});
