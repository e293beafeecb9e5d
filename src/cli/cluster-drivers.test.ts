import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node';
import { beforeEach, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../../fakes/apiserver/api-server.ts';
import { clientConfig } from '../../fakes/apiserver/client-config.ts';
import { parseProfile } from '../profiles/load-profile.ts';
import { createFakeContext } from './fake-context.ts';
import { rekindle } from './rekindle.ts';

const driver = 'x.example.com';
const metadata = { namespace: 'default', name: 'data' };
const objects = [
  { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: driver }, spec: { attachRequired: false } },
  { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { accessKeyId: 'of-somebody', secretAccessKey: 'hidden' } },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv-1' },
    spec: {
      accessModes: ['ReadOnlyMany'],
      capacity: { storage: '1Gi' },
      csi: {
        driver,
        volumeHandle: 'v',
        volumeAttributes: { bucket: 'b' },
        nodePublishSecretRef: metadata,
      },
    },
  },
];

let api: ApiServer;
let cwd: string;

beforeEach(async () => {
  api = await startApiServer({ port: 0 });
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-cluster-drivers-'));
  writeFileSync(join(cwd, 'kubeconfig'), api.kubeConfig);
  const client = KubernetesObjectApi.makeApiClient(clientConfig(api.kubeConfig));
  for (const object of objects) await client.create(object);
  return async () => {
    rmSync(cwd, { recursive: true });
    await api[Symbol.asyncDispose]();
  };
});

async function init(...args: readonly string[]) {
  const { context, stdout, stderr } = createFakeContext({ cwd });
  const config = new KubeConfig();
  config.loadFromString(api.kubeConfig);
  const place = ['--kubeconfig', 'kubeconfig', '--context', config.getCurrentContext()];
  return { status: await rekindle(['profile', 'init', ...place, ...args], context), out: stdout(), err: stderr() };
}

test('a profile is drafted from a volume of the only driver, with the keys of its Secret and without their values', async () => {
  const { status, out } = await init();
  expect(status).toBe(0);
  expect(out).not.toMatch(/of-somebody|hidden/);
  const { volume } = parseProfile(out, 'x.yaml');
  expect(volume).toMatchObject({
    driver,
    objects: [
      { kind: 'Secret', stringData: { accessKeyId: '{accessKeyId}', secretAccessKey: '{secretAccessKey}' } },
      { kind: 'PersistentVolume', spec: { csi: { volumeAttributes: { bucket: '{bucket}' } } } },
      { kind: 'PersistentVolumeClaim' },
    ],
  });
});

test('a Secret that is gone or may not be read leaves the secret out', async () => {
  await clientConfig(api.kubeConfig).makeApiClient(CoreV1Api).deleteNamespacedSecret(metadata);
  const { volume } = parseProfile((await init()).out, 'x.yaml');
  expect(volume?.objects.map(({ kind }) => kind)).toEqual(['PersistentVolume', 'PersistentVolumeClaim']);
});

test('no node is looked at, and no program started, if no running pod uses the driver', async () => {
  expect(await init('--look-at-node')).toEqual({
    status: 3,
    out: '',
    err: `rekindle: cannot run here: no running pod uses a volume of ${driver}: start one, or omit --look-at-node\n`,
  });
});
