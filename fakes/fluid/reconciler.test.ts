import { AppsV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { startApiServer } from '../apiserver/api-server.ts';
import { defaultImages, makeFuseDaemonSet, makeWorkerPod } from './dataset-objects.ts';
import { stepApplier } from './reconciler.ts';
import { demoDataset, demoRuntime } from './testing/documented-manifests.ts';
import { validateDataset } from './validate-dataset.ts';

const key = { namespace: 'default', name: 'demo-dataset' };
const keys = new Set(['fs.oss.accessKeyId', 'fs.oss.accessKeySecret']);

async function start() {
  const server = await startApiServer({ port: 0 });
  const config = new KubeConfig();
  config.loadFromString(server.kubeConfig);
  return {
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    apply: stepApplier(config),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe('a step of a plan', () => {
  it('gives a DaemonSet the template of its next pods', async () => {
    await using rig = await start();
    const validation = validateDataset(demoDataset, new Map([['mysecret', keys]]));
    if (!validation.ok) throw new Error('the documented dataset is refused');
    const { value: settings } = validation;
    const parts = { key, uid: 'uid', runtime: demoRuntime, images: defaultImages };
    await rig.apply({ do: 'create', object: makeFuseDaemonSet({ ...parts, settings }) });
    const hanging = makeFuseDaemonSet({ ...parts, settings: { ...settings, behaviour: '{"readdir":"hang"}' } });
    expect(await rig.apply({ do: 'update', daemonSet: hanging })).toBe('done');
    const { items } = await rig.apps.listNamespacedDaemonSet({ namespace: 'default' });
    expect(items.map(({ spec }) => spec?.template.spec?.containers[0]?.args)).toEqual([
      hanging.spec?.template.spec?.containers[0]?.args,
    ]);
  });

  it('takes one label from a node, which may be gone', async () => {
    await using rig = await start();
    await rig.core.createNode({ body: { metadata: { name: 'n1', labels: { a: 'true', b: 'true' } } } });
    expect(await rig.apply({ do: 'remove-label', node: 'n1', label: 'a' })).toBe('done');
    expect(await rig.apply({ do: 'remove-label', node: 'n2', label: 'a' })).toBe('done');
    expect((await rig.core.readNode({ name: 'n1' })).metadata?.labels).toEqual({ b: 'true' });
  });

  it('is outdated if its object already exists, and done if the object to delete is already gone', async () => {
    await using rig = await start();
    const object = makeWorkerPod({ key, runtime: demoRuntime, index: 0, images: defaultImages });
    expect(await rig.apply({ do: 'create', object })).toBe('done');
    expect(await rig.apply({ do: 'create', object })).toBe('outdated');
    expect(await rig.apply({ do: 'delete', object })).toBe('done');
    expect(await rig.apply({ do: 'delete', object })).toBe('done');
  });

  it('does not delete another object that has the same name by now', async () => {
    await using rig = await start();
    const object = makeWorkerPod({ key, runtime: demoRuntime, index: 0, images: defaultImages });
    await rig.apply({ do: 'create', object });
    const other = { ...object, metadata: { ...object.metadata, uid: 'another' } };
    expect(await rig.apply({ do: 'delete', object: other })).toBe('outdated');
    expect((await rig.core.listNamespacedPod({ namespace: 'default' })).items).toHaveLength(1);
  });
});
