import { expect, it, test } from 'vitest';
import { type Profile, profileSchema } from '../profiles/profile.ts';
import { Dataset } from './dataset.ts';
import { application, type Manifest } from './manifests.ts';
import type { Namespace } from './namespace.ts';
import type { ScenarioPod } from './pod.ts';
import { createObjects, findProcess, podDifferences, untilRestarted } from './profile-volume.ts';

const own = {
  version: 2,
  name: 'mine',
  title: 'Mine',
  promises: { class: 'publish' },
  volume: {
    driver: 'mine.example.com',
    objects: [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: '{name}' }, stringData: { key: '{accessKeyId}' } }],
    source: { csi: { driver: 'mine.example.com', volumeAttributes: { path: '{bucket}/{directory}' } } },
  },
  process: { plugin: '^s3fs .*{volume}$' },
};

interface Asked {
  readonly pods: unknown[];
  readonly processes: unknown[];
}

/** A namespace that keeps what is created in it. Each question for pods or processes has one answer, and is kept, too. */
function fakeNamespace(change: object = {}) {
  const profile: Profile = profileSchema.parse({ ...own, ...change });
  const created: Manifest[] = [];
  const uploaded: string[] = [];
  const asked: Asked = { pods: [], processes: [] };
  const fuse = {
    metadata: { name: 'mount-1', uid: 'u-1' },
    spec: { nodeName: 'n', containers: [{ name: 'fuse' }] },
    status: { phase: 'Running' },
  };
  const cluster = {
    store: { endpoint: 'http://s', bucket: 'b', accessKeyId: 'id', accessKeySecret: 'secret' },
    putObject: async (key: string) => void uploaded.push(key),
    processes: async (ref: object) => {
      asked.processes.push(ref);
      return [{ pid: 1, command: '' }];
    },
  };
  const scenario = {
    session: { profile, cluster },
    eventually: async ({ read }: { readonly read: () => unknown }) => read(),
  };
  const core = {
    readNamespacedPod: async () => fuse,
    listNamespacedPod: async (request: object) => {
      asked.pods.push(request);
      return { items: [fuse] };
    },
  };
  const namespace = {
    name: 'ns',
    scenario,
    core,
    createObject: async (manifest: Manifest) => void created.push(manifest),
  } as unknown as Namespace;
  const dataset = new Dataset(namespace, 'vol');
  const pod = {
    namespace,
    dataset,
    name: 'app',
    node: 'n',
    container: { namespace: 'ns', pod: 'app', container: 'demo' },
    read: core.readNamespacedPod,
    daemon: { container: () => findProcess(pod) },
  } as unknown as ScenarioPod;
  return { profile, created, uploaded, asked, dataset, pod };
}

it('a volume is created by the objects of its profile, with its values in them', async () => {
  const { dataset, created, profile } = fakeNamespace();
  if (profile.volume) await createObjects(dataset, profile.volume, 'ns/vol');
  expect(created).toEqual([{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'vol' }, stringData: { key: 'id' } }]);
});

it('a pod has the volume, the labels, the annotations and the propagation of the profile', () => {
  const needs = { labels: { inject: 'yes' }, annotations: { mode: 'fuse' }, propagation: 'HostToContainer' };
  const { dataset } = fakeNamespace({ pod: needs });
  const pod = application({ name: 'app', dataset: 'vol', labels: {}, ...podDifferences(dataset) });
  expect(pod).toMatchObject({
    metadata: { labels: needs.labels, annotations: needs.annotations },
    spec: {
      containers: [{ volumeMounts: [{ mountPropagation: 'HostToContainer' }] }],
      volumes: [{ csi: { volumeAttributes: { path: 'b/ns/vol' } } }],
    },
  });
});

test.each([
  ['store', ['ns/vol/a']],
  ['pod', []],
])('files that come by the %s are in the bucket at first: %j', async (fill, keys) => {
  const { dataset, uploaded } = fakeNamespace({ fill });
  await dataset.upload({ files: { a: Buffer.from('x') } });
  expect(uploaded).toEqual(keys);
});

it('the FUSE process is sought in a pod by namespace and labels, and is that of the container', async () => {
  const { pod, asked } = fakeNamespace({
    process: { pod: { namespace: 'drivers', selector: 'volume={volume}', container: 'fuse' } },
  });
  expect(await findProcess(pod)).toEqual({ namespace: 'drivers', pod: 'mount-1', container: 'fuse' });
  expect(asked.pods).toEqual([{ namespace: 'drivers', labelSelector: 'volume=ns-vol' }]);
});

test.each(['plugin', 'host'] as const)('the FUSE process is sought by the command line of the %s', async (place) => {
  const { pod, asked } = fakeNamespace({ process: { [place]: '^s3fs .*/{pod}/{volume}$' } });
  expect(await findProcess(pod)).toMatchObject({ command: '^s3fs .*/u-1/ns-vol$' });
  expect(asked.processes).toHaveLength(1);
});

test.each([
  ['plugin', 1],
  ['nobody', 0],
])('a FUSE process that is restarted by %s is waited for %d times', async (restartedBy, times) => {
  const { pod, asked } = fakeNamespace({ restartedBy });
  await untilRestarted(pod);
  expect(asked.processes).toHaveLength(times);
});
