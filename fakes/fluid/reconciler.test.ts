import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { startApiServer } from '../apiserver/api-server.ts';
import { defaultImages, makeFusePod, makeWorkerPod } from './dataset-objects.ts';
import { demoDataset, demoRuntime } from './documented-manifests.ts';
import { stepApplier } from './reconciler.ts';
import { validateDataset } from './validate-dataset.ts';

const key = { namespace: 'default', name: 'demo-dataset' };
const keys = new Set(['fs.oss.accessKeyId', 'fs.oss.accessKeySecret']);

async function start() {
  const server = await startApiServer({ port: 0 });
  const config = new KubeConfig();
  config.loadFromString(server.kubeConfig);
  return {
    core: config.makeApiClient(CoreV1Api),
    apply: stepApplier(config),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe('a step of a plan', () => {
  it('creates only one FUSE pod on a node, however stale the cache is', async () => {
    await using rig = await start();
    const validation = validateDataset(demoDataset, new Map([['mysecret', keys]]));
    if (!validation.ok) throw new Error('the documented dataset is refused');
    const runtime = { ...demoRuntime, metadata: { ...demoRuntime.metadata, uid: 'u' } };
    const pod = makeFusePod({ key, settings: validation.value, runtime, nodeName: 'n1', images: defaultImages });
    await rig.apply({ do: 'create-on-node', pod });
    await rig.apply({ do: 'create-on-node', pod });
    expect((await rig.core.listNamespacedPod({ namespace: 'default' })).items).toHaveLength(1);
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
