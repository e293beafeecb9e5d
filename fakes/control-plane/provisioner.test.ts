import { expect, it } from 'vitest';
import { createParameters, provisionedVolume } from './provisioner.ts';

const claim = {
  metadata: { namespace: 'team', name: 'data', uid: 'u1' },
  spec: { accessModes: ['ReadOnlyMany'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } },
};
const storage = {
  provisioner: 'x.example.com',
  metadata: { name: 'fast' },
  parameters: {
    bucket: 'b',
    'csi.storage.k8s.io/node-publish-secret-name': '$'.concat('{pvc.name}-key'),
    'csi.storage.k8s.io/node-publish-secret-namespace': '$'.concat('{pvc.namespace}'),
  },
};

it('gives a driver its parameters and the claim, and keeps those for the provisioner', () => {
  expect(createParameters(claim, storage)).toEqual({
    bucket: 'b',
    'csi.storage.k8s.io/pvc/name': 'data',
    'csi.storage.k8s.io/pvc/namespace': 'team',
  });
});

it('creates the volume for its claim, as the driver describes it, to be deleted with the claim', () => {
  const volume = provisionedVolume(claim, storage, { volumeId: 'v1', volumeContext: { path: '/p' } });
  expect(volume).toMatchObject({
    metadata: { name: 'pvc-u1', annotations: { 'pv.kubernetes.io/provisioned-by': 'x.example.com' } },
    spec: {
      accessModes: ['ReadOnlyMany'],
      capacity: { storage: '1Gi' },
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { namespace: 'team', name: 'data', uid: 'u1' },
      csi: {
        driver: 'x.example.com',
        volumeHandle: 'v1',
        volumeAttributes: { path: '/p' },
        nodePublishSecretRef: { name: 'data-key', namespace: 'team' },
      },
    },
  });
  expect(
    provisionedVolume(claim, { ...storage, reclaimPolicy: 'Retain' }, { volumeId: 'v1', volumeContext: {} }).spec,
  ).toMatchObject({ persistentVolumeReclaimPolicy: 'Retain' });
});
