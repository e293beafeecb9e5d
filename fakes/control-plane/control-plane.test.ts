import type { CoreV1Event, V1Pod } from '@kubernetes/client-node';
import { CoreV1Api, CustomObjectsApi, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startApiServer } from '../apiserver/api-server.ts';
import { clientConfig } from '../apiserver/client-config.ts';
import { sendRaw } from '../apiserver/testing/test-rig.ts';
import { type Informer, startInformer } from '../controller.ts';
import { type FluidObject, group, pluralNames, version } from '../fluid/names.ts';
import { demoApp, demoDataset, demoRuntime, mysecret } from '../fluid/testing/documented-manifests.ts';
import { startControllers } from './controllers.ts';

type FluidIdentity = Pick<FluidObject, 'kind' | 'metadata'>;

interface Rig extends AsyncDisposable {
  readonly core: CoreV1Api;
  readonly complaints: readonly string[];
  create(object: FluidObject, namespace?: string): Promise<void>;
  remove(object: FluidIdentity): Promise<void>;
  /** Resolves with the objects of a kind once they satisfy the condition. */
  until<T>(path: string, condition: (objects: readonly T[]) => boolean): Promise<readonly T[]>;
}

async function start(): Promise<Rig> {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await startApiServer({ port: 0 }));
  const config = clientConfig(server.kubeConfig);
  const core = config.makeApiClient(CoreV1Api);
  const custom = config.makeApiClient(CustomObjectsApi);
  await core.createNode({
    body: { metadata: { name: 'n1' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } },
  });
  const complaints: string[] = [];
  starting.use(await startControllers({ kubeConfig: config, log: (line) => complaints.push(line) }));
  const kept = starting.move();
  return {
    core,
    complaints,
    async create(object, namespace = 'default') {
      const plural = pluralNames[object.kind as 'Dataset' | 'JindoRuntime'];
      const body = { ...object, metadata: { ...object.metadata, namespace } };
      await custom.createNamespacedCustomObject({ group, version, namespace, plural, body });
    },
    async remove({ kind, metadata: { name = '' } }) {
      const plural = pluralNames[kind as 'Dataset' | 'JindoRuntime'];
      await custom.deleteNamespacedCustomObject({ group, version, namespace: 'default', plural, name });
    },
    async until<T>(path: string, condition: (objects: readonly T[]) => boolean) {
      const found = Promise.withResolvers<readonly T[]>();
      let informer: Informer<FluidObject> | undefined;
      const check = (): void => {
        const objects = (informer?.list() ?? []) as readonly T[];
        if (informer && condition(objects)) found.resolve(objects);
      };
      // Lists any kind through the path of its watch.
      const list = async () => {
        const { text } = await sendRaw(config, { method: 'GET', path });
        return JSON.parse(text) as { items: FluidObject[] };
      };
      informer = await startInformer<FluidObject>({
        kubeConfig: config,
        path,
        list,
        onChange: () => queueMicrotask(() => check()),
      });
      check();
      const objects = await found.promise;
      await informer[Symbol.asyncDispose]();
      return objects;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const datasets = `/apis/${group}/${version}/datasets`;
const phases = (objects: readonly FluidObject[]): Record<string, unknown> =>
  Object.fromEntries(objects.map(({ metadata, status }) => [`${metadata.namespace}/${metadata.name}`, status?.phase]));
const named = (pods: readonly V1Pod[], role: string): readonly V1Pod[] =>
  pods.filter(({ metadata }) => metadata?.labels?.role === role);

describe('the fake control plane', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await start();
  });
  afterEach(async () => rig[Symbol.asyncDispose]());

  /** Creates the document's objects. The node has the label that a node plugin gives it when it stages the volume. */
  const documented = async (): Promise<void> => {
    await patchLabel('true');
    await rig.core.createNamespacedSecret({ namespace: 'default', body: mysecret });
    await rig.create(demoDataset);
    await rig.create(demoRuntime);
    await rig.core.createNamespacedPod({ namespace: 'default', body: demoApp });
  };

  const patchLabel = async (value: 'true' | null): Promise<void> => {
    const body = { metadata: { labels: { 'fluid.io/f-default-demo-dataset': value } } };
    await rig.core.patchNode({ name: 'n1', body }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
  };

  it("turns the document's manifests into a bound dataset, a scheduled pod, two workers and a FUSE pod on its node", async () => {
    await documented();
    await rig.until<FluidObject>(datasets, (all) => phases(all)['default/demo-dataset'] === 'Bound');
    const pods = await rig.until<V1Pod>(
      '/api/v1/pods',
      (all) =>
        named(all, 'jindofs-fuse').length === 1 && all.every(({ spec }) => spec?.nodeName === 'n1') && all.length === 4,
    );
    expect(named(pods, 'jindofs-worker')).toHaveLength(2);
    const volume = await rig.core.readPersistentVolume({ name: 'default-demo-dataset' });
    expect(volume).toMatchObject({
      spec: {
        accessModes: ['ReadOnlyMany'],
        storageClassName: 'fluid',
        claimRef: { namespace: 'default', name: 'demo-dataset' },
        csi: {
          driver: 'fuse.csi.fluid.io',
          volumeHandle: 'default-demo-dataset',
          volumeAttributes: { fluid_path: '/runtime-mnt/jindo/default/demo-dataset/jindofs-fuse', mount_type: 'jindo' },
        },
      },
      status: { phase: 'Bound' },
    });
    const found = await rig.core.listNamespacedPod({
      namespace: 'default',
      fieldSelector: 'spec.nodeName=n1',
      labelSelector: 'role=jindofs-fuse,release=demo-dataset',
    });
    expect(found.items).toHaveLength(1);
    expect(JSON.stringify(pods)).not.toContain('very-secret');
    expect(rig.complaints).toEqual([]);
  });

  it('replaces a FUSE pod that is deleted while it is needed', async () => {
    await documented();
    const [first] = named(
      await rig.until<V1Pod>('/api/v1/pods', (all) => named(all, 'jindofs-fuse').length === 1),
      'jindofs-fuse',
    );
    await rig.core.deleteNamespacedPod({
      name: first?.metadata?.name ?? '',
      namespace: 'default',
      gracePeriodSeconds: 0,
    });
    const uid = first?.metadata?.uid;
    const pods = await rig.until<V1Pod>('/api/v1/pods', (all) => {
      const fuses = named(all, 'jindofs-fuse');
      return fuses.length === 1 && fuses[0]?.metadata?.uid !== uid;
    });
    expect(named(pods, 'jindofs-fuse')).toHaveLength(1);
  });

  it('has no FUSE pod on a node without the label, even if a pod there uses the dataset, and ends it if the label is removed', async () => {
    await documented();
    await rig.until<V1Pod>('/api/v1/pods', (all) => named(all, 'jindofs-fuse').length === 1 && all.length === 4);
    await patchLabel(null);
    await rig.until<V1Pod>(
      '/api/v1/pods',
      (all) => named(all, 'jindofs-fuse')[0]?.metadata?.deletionTimestamp !== undefined,
    );
  });

  it('keeps a pod waiting for its claim, with a condition that names the claim', async () => {
    await rig.core.createNamespacedPod({ namespace: 'default', body: demoApp });
    const [pod] = await rig.until<V1Pod>('/api/v1/pods', ([one]) => (one?.status?.conditions?.length ?? 0) > 0);
    expect(pod?.status?.conditions?.[0]).toMatchObject({
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/1 nodes are available: persistentvolumeclaim "demo-dataset" not found.',
    });
  });

  it('refuses a dataset whose Secret is missing, names the field in an event, and accepts it once the Secret exists', async () => {
    await rig.create(demoDataset);
    await rig.create(demoRuntime);
    await rig.until<FluidObject>(datasets, (all) => phases(all)['default/demo-dataset'] === 'Failed');
    const [event] = await rig.until<CoreV1Event>('/api/v1/events', (all) => all.length > 0);
    expect(event).toMatchObject({ type: 'Warning', involvedObject: { kind: 'Dataset', name: 'demo-dataset' } });
    expect(event?.message).toContain('secretKeyRef.name: secret "mysecret" not found');
    await rig.core.createNamespacedSecret({ namespace: 'default', body: mysecret });
    await rig.until<FluidObject>(datasets, (all) => phases(all)['default/demo-dataset'] === 'Bound');
  });

  it('deletes volume, claim, workers and FUSE pods when the dataset is deleted', async () => {
    await documented();
    await rig.until<V1Pod>('/api/v1/pods', (all) => named(all, 'jindofs-fuse').length === 1 && all.length === 4);
    await rig.remove(demoDataset);
    await rig.until('/api/v1/persistentvolumes', (all) => all.length === 0);
    await rig.until('/api/v1/persistentvolumeclaims', (all) => all.length === 0);
    // Pods on a node disappear only once their kubelet has stopped them.
    await rig.until<V1Pod>(
      '/api/v1/pods',
      (all) => all.filter(({ metadata }) => metadata?.deletionTimestamp !== undefined).length === 3,
    );
  });

  it('refuses the second of two datasets with the same volume name, until the first is gone', async () => {
    const other = { ...demoDataset, metadata: { name: 'dataset' } };
    await rig.core.createNamespace({ body: { metadata: { name: 'default-demo' } } });
    await rig.core.createNamespacedSecret({ namespace: 'default-demo', body: mysecret });
    await documented();
    await rig.until<FluidObject>(datasets, (all) => phases(all)['default/demo-dataset'] === 'Bound');
    await rig.create(other, 'default-demo');
    await rig.create({ ...demoRuntime, metadata: { name: 'dataset' } }, 'default-demo');
    const both = await rig.until<FluidObject>(datasets, (all) => phases(all)['default-demo/dataset'] === 'Failed');
    const second = both.find(({ metadata }) => metadata.namespace === 'default-demo');
    expect(JSON.stringify(second?.status)).toContain(
      'metadata.name: the PersistentVolume default-demo-dataset already exists',
    );
    expect((await rig.core.readPersistentVolume({ name: 'default-demo-dataset' })).spec?.claimRef?.namespace).toBe(
      'default',
    );
    await rig.remove(demoDataset);
    await rig.until<FluidObject>(datasets, (all) => phases(all)['default-demo/dataset'] === 'Bound');
  });

  it('survives datasets of every shape and keeps serving the valid ones', async () => {
    const shapes: readonly Record<string, unknown>[] = [
      {},
      { mounts: null },
      { mounts: [null, 1] },
      { mounts: [{ mountPoint: ['oss://'] }] },
      { mounts: [{ ...demoDataset.spec.mounts[0], encryptOptions: { name: 1 } }] },
      { accessModes: {} },
    ];
    for (const [index, spec] of shapes.entries())
      await rig.create({ ...demoDataset, metadata: { name: `bad-${index}` }, spec });
    await rig.create({ ...demoDataset, metadata: { name: 'without-spec' }, spec: undefined });
    await rig.create({ ...demoDataset, metadata: { name: 'a.dotted.name' } });
    await documented();
    const all = await rig.until<FluidObject>(datasets, (objects) => {
      const states = Object.values(phases(objects));
      return states.filter((phase) => phase === 'Failed').length === 8 && states.includes('Bound');
    });
    expect(all).toHaveLength(9);
    expect(rig.complaints).toEqual([]);
  });

  it('empties a namespace that is deleted, except for pods that a kubelet still runs', async () => {
    await rig.core.createNamespace({ body: { metadata: { name: 'run' } } });
    await rig.core.createNamespacedSecret({ namespace: 'run', body: mysecret });
    await rig.create(demoDataset, 'run');
    await rig.create(demoRuntime, 'run');
    await rig.until<FluidObject>(datasets, (all) => phases(all)['run/demo-dataset'] === 'Bound');
    const pods = await rig.until<V1Pod>(
      '/api/v1/pods',
      (all) => all.length === 2 && all.every(({ spec }) => spec?.nodeName !== undefined),
    );
    await rig.core.deleteNamespace({ name: 'run' });
    await rig.until('/api/v1/persistentvolumes', (all) => all.length === 0);
    for (const { metadata } of pods) {
      await rig.core.deleteNamespacedPod({ name: metadata?.name ?? '', namespace: 'run', gracePeriodSeconds: 0 });
    }
    await rig.until<{ metadata: { name: string } }>('/api/v1/namespaces', (all) =>
      all.every(({ metadata }) => metadata.name !== 'run'),
    );
  });
});
