import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { startApiServer } from '../apiserver/api-server.ts';
import { stepApplier } from './apply-step.ts';
import { defaultImages, makeFusePod, makeWorkerPod } from './pod-objects.ts';
import { demoDataset, demoRuntime } from './seed-manifests.ts';
import { validateDataset } from './validate-dataset.ts';

const key = { namespace: 'default', name: 'demo-dataset' };
const keys = new Set(['fs.oss.accessKeyId', 'fs.oss.accessKeySecret']);

async function start() {
  const server = await startApiServer({ port: 0, token: 't' });
  const config = new KubeConfig();
  config.loadFromString(server.kubeConfig());
  return {
    core: config.makeApiClient(CoreV1Api),
    apply: stepApplier(config),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe('a step of a plan', () => {
  it('that wants a FUSE pod on a node makes one only, however late the cache is', async () => {
    await using rig = await start();
    const judged = validateDataset(demoDataset, new Map([['mysecret', keys]]));
    if (!judged.ok) throw new Error('the documented dataset is refused');
    const runtime = { ...demoRuntime, metadata: { ...demoRuntime.metadata, uid: 'u' } };
    const pod = makeFusePod({ key, facts: judged.value, runtime, nodeName: 'n1', images: defaultImages });
    await rig.apply({ do: 'create-on-node', pod });
    await rig.apply({ do: 'create-on-node', pod });
    expect((await rig.core.listNamespacedPod({ namespace: 'default' })).items).toHaveLength(1);
  });

  it('that makes what is there already is overtaken; one that deletes what is gone is done', async () => {
    await using rig = await start();
    const object = makeWorkerPod({ key, runtime: demoRuntime, index: 0, images: defaultImages });
    expect(await rig.apply({ do: 'create', object })).toBe('done');
    expect(await rig.apply({ do: 'create', object })).toBe('overtaken');
    expect(await rig.apply({ do: 'delete', object })).toBe('done');
    expect(await rig.apply({ do: 'delete', object })).toBe('done');
  });

  it('that deletes leaves alone what has taken the place of the object that was meant', async () => {
    await using rig = await start();
    const object = makeWorkerPod({ key, runtime: demoRuntime, index: 0, images: defaultImages });
    await rig.apply({ do: 'create', object });
    const other = { ...object, metadata: { ...object.metadata, uid: 'another' } };
    expect(await rig.apply({ do: 'delete', object: other })).toBe('overtaken');
    expect((await rig.core.listNamespacedPod({ namespace: 'default' })).items).toHaveLength(1);
  });
});
