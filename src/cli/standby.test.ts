import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppsV1Api, CoreV1Api, PatchStrategy, setHeaderOptions, type V1DaemonSet } from '@kubernetes/client-node';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type ApiServer, startApiServer } from '../../fakes/apiserver/api-server.ts';
import { clientConfig } from '../../fakes/apiserver/client-config.ts';
import { defaultImages, makeFuseDaemonSet } from '../../fakes/fluid/dataset-objects.ts';
import { demoDataset, demoRuntime } from '../../fakes/fluid/testing/documented-manifests.ts';
import { validateDataset } from '../../fakes/fluid/validate-dataset.ts';
import { createFakeContext } from './fake-context.ts';
import { rekindle } from './rekindle.ts';

const secrets = new Map([['mysecret', new Set(['fs.oss.accessKeyId', 'fs.oss.accessKeySecret'])]]);
const validation = validateDataset(demoDataset, secrets);
if (!validation.ok) throw new Error('the documented dataset is refused');
const key = { namespace: 'default', name: 'demo-dataset' };
const original = makeFuseDaemonSet({
  key,
  uid: 'uid',
  settings: validation.value,
  runtime: demoRuntime,
  images: defaultImages,
});

let server: ApiServer;
let cwd: string;
beforeAll(async () => {
  server = await startApiServer({ port: 0 });
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-cli-'));
  writeFileSync(join(cwd, 'config'), server.kubeConfig);
});
afterAll(async () => {
  rmSync(cwd, { recursive: true });
  await server[Symbol.asyncDispose]();
});

const apps = () => clientConfig(server.kubeConfig).makeApiClient(AppsV1Api);
const names = async () =>
  (await apps().listNamespacedDaemonSet({ namespace: 'default' })).items.map(({ metadata }) => metadata?.name);

beforeEach(async () => {
  for (const name of await names()) await apps().deleteNamespacedDaemonSet({ namespace: 'default', name: name ?? '' });
  await apps().createNamespacedDaemonSet({ namespace: 'default', body: original });
});

async function standby(...argv: readonly string[]) {
  const { context, stdout, stderr } = createFakeContext({ cwd, env: { HOME: cwd, KUBECONFIG: 'config' } });
  const status = await rekindle(['standby', ...argv], context);
  return { status, out: stdout(), err: stderr() };
}

describe('rekindle standby', () => {
  test('makes a standby, and changes nothing the second time', async () => {
    const { status, out } = await standby('demo-dataset');
    expect(out).toContain(
      'dataset default/demo-dataset: 1 changed\n  daemonset/demo-dataset-jindofs-fuse-standby-0 created',
    );
    expect(status).toBe(0);
    expect((await standby('demo-dataset')).out).toContain('nothing changed');
    const { metadata, spec } = await apps().readNamespacedDaemonSet({
      namespace: 'default',
      name: 'demo-dataset-jindofs-fuse-standby-0',
    });
    expect(metadata?.ownerReferences).toBeUndefined();
    expect(spec?.template.spec?.volumes?.[0]?.hostPath?.path).toBe('/runtime-mnt/jindo/default/demo-dataset/standby-0');
  });

  test('keeps as many as it is asked for, and follows what Fluid changes', async () => {
    await standby('demo-dataset', '--replicas', '3');
    const { out } = await standby('demo-dataset', '--replicas', '1');
    expect(out).toContain('2 changed');
    expect(await names()).toEqual(['demo-dataset-jindofs-fuse', 'demo-dataset-jindofs-fuse-standby-0']);
    const changed = structuredClone(original);
    const container = changed.spec?.template.spec?.containers[0];
    if (container) container.image = 'rekindle/fuse:next';
    await apps().replaceNamespacedDaemonSet({
      namespace: 'default',
      name: original.metadata?.name ?? '',
      body: changed,
    });
    expect((await standby('demo-dataset')).out).toContain('standby-0 configured');
  });

  test('removes them, and leaves those of the dataset and of other datasets', async () => {
    await standby('demo-dataset', '--replicas', '2');
    expect((await standby('demo-dataset', '--remove')).out).toContain('2 changed');
    expect(await names()).toEqual(['demo-dataset-jindofs-fuse']);
    expect((await standby('demo-dataset', '--remove')).out).toContain('nothing changed');
    const metadata = { ...original.metadata, name: 'demo-dataset-jindofs-fuse-standby-0' };
    await apps().createNamespacedDaemonSet({ namespace: 'default', body: { ...original, metadata } });
    await standby('demo-dataset', '--remove');
    expect(await names()).toHaveLength(2);
  });

  test('names the nodes on which the daemon has no standby, because the standby is on another one', async () => {
    await standby('demo-dataset');
    const copy = await apps().readNamespacedDaemonSet({
      namespace: 'default',
      name: 'demo-dataset-jindofs-fuse-standby-0',
    });
    const core = clientConfig(server.kubeConfig).makeApiClient(CoreV1Api);
    const pods: readonly [string, V1DaemonSet, string, string][] = [
      ['daemon-a', original, 'node-a', 'Running'],
      ['daemon-b', original, 'node-b', 'Running'],
      ['standby-a', copy, 'node-a', 'Running'],
      ['standby-b', copy, 'node-b', 'Pending'],
      ['standby-c', copy, 'node-c', 'Running'],
    ];
    for (const [name, { spec }, nodeName, phase] of pods) {
      const metadata = { name, labels: spec?.selector.matchLabels ?? {} };
      const containers = [{ name: 'fuse', image: 'fuse' }];
      await core.createNamespacedPod({ namespace: 'default', body: { metadata, spec: { nodeName, containers } } });
      await core.patchNamespacedPodStatus(
        { namespace: 'default', name, body: { status: { phase } } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
    }
    const { err, status } = await standby('demo-dataset');
    expect(err).toContain(
      'daemonset/demo-dataset-jindofs-fuse-standby-0 does not run on node node-b, and a standby of another node is not used',
    );
    expect(err).not.toMatch(/not run on node node-[ac]/);
    expect(status).toBe(0);
  });

  test('prints what it would apply, and changes nothing', async () => {
    const { out, status } = await standby('demo-dataset', '--print', '--replicas', '2');
    const printed = parseAllDocuments(out).map((document) => document.toJS() as V1DaemonSet);
    expect(printed.map(({ metadata }) => metadata?.name)).toEqual([
      'demo-dataset-jindofs-fuse-standby-0',
      'demo-dataset-jindofs-fuse-standby-1',
    ]);
    expect(status).toBe(0);
    expect(await names()).toEqual(['demo-dataset-jindofs-fuse']);
  });

  test.each<[string, readonly string[], number, string]>([
    [
      'an unknown dataset',
      ['other'],
      3,
      'dataset default/other has no FUSE DaemonSet: looked for other-jindofs-fuse and other-fuse, found demo-dataset-jindofs-fuse',
    ],
    [
      'another namespace',
      ['demo-dataset', '-n', 'elsewhere'],
      3,
      'dataset elsewhere/demo-dataset has no FUSE DaemonSet: looked for demo-dataset-jindofs-fuse and demo-dataset-fuse, found no DaemonSet at all',
    ],
    ['too many', ['demo-dataset', '--replicas', '4'], 2, 'Accepted are whole numbers from 1 to 3.'],
    ['two wishes', ['demo-dataset', '--remove', '--print'], 2, '--remove and --print cannot be combined'],
  ])('refuses %s', async (_, argv, expected, says) => {
    const { status, out, err } = await standby(...argv);
    expect(err).toContain(says);
    expect({ status, out }).toEqual({ status: expected, out: '' });
  });

  test('refuses to take over a DaemonSet that it did not make', async () => {
    const metadata = { ...original.metadata, name: 'demo-dataset-jindofs-fuse-standby-0' };
    await apps().createNamespacedDaemonSet({ namespace: 'default', body: { ...original, metadata } });
    const { status, err } = await standby('demo-dataset');
    expect(err).toContain("daemonset/demo-dataset-jindofs-fuse-standby-0 exists and is not Rekindle's");
    expect(status).toBe(3);
  });
});
