import type { V1Pod, V1Secret } from '@kubernetes/client-node';
import type { FluidObject } from '../names.ts';

/** The document's manifests, with bucket, endpoint and keys filled in, for tests. */
export const mysecret: V1Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'mysecret' },
  stringData: { 'fs.oss.accessKeyId': 'AKIDEXAMPLE', 'fs.oss.accessKeySecret': 'very-secret' },
};

const fromSecret = (name: string) => ({ name, valueFrom: { secretKeyRef: { name: 'mysecret', key: name } } });

export const demoDataset = {
  apiVersion: 'data.fluid.io/v1alpha1',
  kind: 'Dataset',
  metadata: { name: 'demo-dataset', namespace: 'default' },
  spec: {
    mounts: [
      {
        mountPoint: 'oss://demo-bucket/demo/dir/',
        options: { 'fs.oss.endpoint': 'http://127.0.0.1:9000' },
        name: 'mybucket',
        path: '/',
        encryptOptions: [fromSecret('fs.oss.accessKeyId'), fromSecret('fs.oss.accessKeySecret')],
      },
    ],
  },
} as const satisfies FluidObject;

export const demoRuntime = {
  apiVersion: 'data.fluid.io/v1alpha1',
  kind: 'JindoRuntime',
  metadata: { name: 'demo-dataset', namespace: 'default' },
  spec: {
    replicas: 2,
    tieredstore: {
      levels: [
        { mediumtype: 'MEM', path: '/dev/shm', volumeType: 'emptyDir', quota: '2Gi', high: '0.99', low: '0.95' },
      ],
    },
  },
} as const satisfies FluidObject;

export const demoApp: V1Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'demo-app', labels: { 'fuse.serverful.fluid.io/inject': 'true' } },
  spec: {
    containers: [{ name: 'demo', image: 'nginx', volumeMounts: [{ mountPath: '/data', name: 'data-vol' }] }],
    volumes: [{ name: 'data-vol', persistentVolumeClaim: { claimName: 'demo-dataset' } }],
  },
};
