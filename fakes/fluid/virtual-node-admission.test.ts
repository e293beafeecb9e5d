import { expect, test } from 'vitest';
import { admitToVirtualNode, toVirtualNode } from './virtual-node-admission.ts';

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

test('a pod that asks for a virtual node is sent to one, with what it has asked for itself', () => {
  expect(toVirtualNode(serverless)).toEqual([
    { op: 'add', path: '/spec/nodeSelector', value: { disk: 'ssd', type: 'virtual-kubelet' } },
    {
      op: 'add',
      path: '/spec/tolerations',
      value: [{ key: 'other' }, { key: 'virtual-kubelet.io/provider', operator: 'Exists' }],
    },
  ]);
});

test('a pod that does not ask for one stays as it is', () => {
  const pod = { metadata: { annotations: { 'alibabacloud.com/burst-resource': 'eci' } }, spec: { containers: [{}] } };
  expect(toVirtualNode(pod)).toEqual([]);
  expect(admitToVirtualNode(review(pod))).toMatchObject({ response: { uid: 'u', allowed: true } });
});

test('the answer carries the patch as the API server reads it', () => {
  const { response } = admitToVirtualNode(review(serverless)) as { response: { patch: string; patchType: string } };
  expect(response.patchType).toBe('JSONPatch');
  expect(JSON.parse(Buffer.from(response.patch, 'base64').toString())).toEqual(toVirtualNode(serverless));
});

test('what is no review is refused, not admitted', () => {
  expect(admitToVirtualNode('{')).toMatchObject({ response: { allowed: false } });
});
