import { readFileSync } from 'node:fs';
import type { KubernetesObject } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { start, withToken } from '../apiserver/testing/test-rig.ts';
import { createParameters, provisionedVolume, secretRef, startProvisioner } from './provisioner.ts';

const claim = {
  metadata: { namespace: 'team', name: 'data', uid: 'u1' },
  spec: { accessModes: ['ReadOnlyMany'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } },
};
const storage = {
  provisioner: 'x.example.com',
  metadata: { name: 'fast' },
  parameters: {
    bucket: 'b',
    'csi.storage.k8s.io/provisioner-secret-name': 'admin',
    'csi.storage.k8s.io/provisioner-secret-namespace': 'storage',
    'csi.storage.k8s.io/node-stage-secret-name': '$'.concat('{pvc.name}-stage'),
    'csi.storage.k8s.io/node-stage-secret-namespace': '$'.concat('{pvc.namespace}'),
    'csi.storage.k8s.io/node-publish-secret-name': '$'.concat('{pvc.name}-key'),
    'csi.storage.k8s.io/node-publish-secret-namespace': '$'.concat('{pvc.namespace}'),
  },
  mountOptions: ['ro'],
};

it('gives a driver its parameters and the claim, and keeps those for the provisioner', () => {
  expect(createParameters(claim, storage)).toEqual({
    bucket: 'b',
    'csi.storage.k8s.io/pvc/name': 'data',
    'csi.storage.k8s.io/pvc/namespace': 'team',
  });
});

it('reads the secret that a class names for the creation of its volumes, if it names one', () => {
  expect(secretRef(claim, storage, 'provisioner')).toEqual({ name: 'admin', namespace: 'storage' });
  expect(secretRef(claim, { provisioner: 'x.example.com' }, 'provisioner')).toBeUndefined();
});

it('creates the volume for its claim, as the driver describes it, to be deleted with the claim', () => {
  const volume = provisionedVolume(claim, storage, { volumeId: 'v1', volumeContext: { path: '/p' } });
  expect(volume).toMatchObject({
    metadata: {
      name: 'pvc-u1',
      annotations: {
        'pv.kubernetes.io/provisioned-by': 'x.example.com',
        'volume.kubernetes.io/provisioner-deletion-secret-name': 'admin',
        'volume.kubernetes.io/provisioner-deletion-secret-namespace': 'storage',
      },
    },
    spec: {
      accessModes: ['ReadOnlyMany'],
      capacity: { storage: '1Gi' },
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { namespace: 'team', name: 'data', uid: 'u1' },
      mountOptions: ['ro'],
      csi: {
        driver: 'x.example.com',
        volumeHandle: 'v1',
        volumeAttributes: { path: '/p' },
        nodeStageSecretRef: { name: 'data-stage', namespace: 'team' },
        nodePublishSecretRef: { name: 'data-key', namespace: 'team' },
      },
    },
  });
  expect(
    provisionedVolume(claim, { ...storage, reclaimPolicy: 'Retain' }, { volumeId: 'v1', volumeContext: {} }).spec,
  ).toMatchObject({ persistentVolumeReclaimPolicy: 'Retain' });
});

it('may read claims, classes, volumes and secrets with the role that it has on a cluster', async () => {
  await using rig = await start();
  const account = { namespace: 'csi-drivers', name: 'volume-pods' };
  const manifest = readFileSync(new URL('../csi-drivers/on-kubernetes.yaml', import.meta.url), 'utf8');
  const objects = parseAllDocuments(manifest).map((document) => document.toJS() as KubernetesObject);
  for (const object of objects)
    if (/^(Namespace|ServiceAccount|ClusterRole.*)$/.test(object.kind ?? '')) await rig.objects.create(object);
  for (const name of ['team', 'storage']) await rig.core.createNamespace({ body: { metadata: { name } } });
  await rig.core.createNamespacedSecret({ namespace: 'storage', body: { metadata: { name: 'admin' } } });
  await rig.objects.create({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', ...storage } as KubernetesObject);
  await rig.core.createNamespacedPersistentVolumeClaim({ namespace: 'team', body: claim });
  const body = { spec: { audiences: [] } };
  const { status } = await rig.core.createNamespacedServiceAccountToken({ ...account, body });
  const { promise: failure, resolve } = Promise.withResolvers<string>();
  await using _ = await startProvisioner({
    kubeConfig: withToken(rig.config, status?.token ?? ''),
    driver: storage.provisioner,
    socket: '/nonexistent/csi.sock',
    log: resolve,
  });
  // All that is missing is the driver.
  expect(await failure).toMatch(/team\/data: .*csi\.sock/);
});
