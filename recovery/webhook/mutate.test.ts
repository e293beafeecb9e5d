import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listAt, objectAt, type UncheckedObject } from '../kubernetes/json.ts';
import { admit } from './admit.ts';
import type { ClusterState } from './facts.ts';
import { mutate } from './mutate.ts';
import type { NewPod } from './pod.ts';
import { auto, eci, facts, inject, type PodOptions, pod, template, volume } from './testing/sample-pods.ts';

const addPropagation = (path: string) => ({ op: 'add', path: `${path}/mountPropagation`, value: 'HostToContainer' });

describe('a labelled pod', () => {
  it.each<[string, PodOptions, readonly object[]]>([
    ['gets propagation on the mount of a dataset', {}, [addPropagation('/spec/containers/0/volumeMounts/0')]],
    ['keeps Bidirectional', { mounts: [{ name: 'data', mountPath: '/d', mountPropagation: 'Bidirectional' }] }, []],
    ['keeps HostToContainer', { mounts: [{ name: 'data', mountPath: '/d', mountPropagation: 'HostToContainer' }] }, []],
    ['keeps None', { mounts: [{ name: 'data', mountPath: '/d', mountPropagation: 'None' }] }, []],
    ['keeps recursiveReadOnly', { mounts: [{ name: 'data', mountPath: '/d', recursiveReadOnly: 'IfPossible' }] }, []],
    [
      'keeps mounts of other volumes unchanged',
      {
        claims: { data: 'demo', disk: 'disk' },
        mounts: [
          { name: 'disk', mountPath: '/x' },
          { name: 'data', mountPath: '/d' },
        ],
      },
      [addPropagation('/spec/containers/0/volumeMounts/1')],
    ],
    [
      'is patched by the index as sent, although other entries are not objects',
      { mounts: [null, 'x', { name: 'data', mountPath: '/d' }] },
      [addPropagation('/spec/containers/0/volumeMounts/2')],
    ],
    [
      'is patched in all containers, including init containers',
      {
        spec: {
          initContainers: [{ name: 'i', volumeMounts: [{ name: 'data', mountPath: '/d' }] }],
          containers: [{ name: 'a' }, { name: 'b', volumeMounts: [{ name: 'data', mountPath: '/d' }] }],
        },
      },
      [addPropagation('/spec/initContainers/0/volumeMounts/0'), addPropagation('/spec/containers/1/volumeMounts/0')],
    ],
    [
      'is patched for a read-write dataset as well',
      { claims: { data: 'scratch' } },
      [addPropagation('/spec/containers/0/volumeMounts/0')],
    ],
  ])('%s', (_title, options, patch) => {
    expect(mutate(pod(options), facts())).toEqual(patch);
  });

  it('is not changed a second time', () => {
    expect(mutate(patched(pod()), facts())).toEqual([]);
  });
});

it.each<[string, PodOptions]>([
  ['has no label', { labels: {} }],
  [
    'is denied',
    { labels: eci, spec: { initContainers: [{ name: 'i', volumeMounts: [{ name: 'data', mountPath: '/d' }] }] } },
  ],
  ['has only the annotation', { labels: {}, annotations: auto }],
])('a pod that %s is not changed', (_title, options) => {
  expect(mutate(pod(options), facts())).toEqual([]);
});

describe('a serverless pod', () => {
  const mutated = (options: PodOptions = {}, change: Partial<ClusterState> = {}) => {
    const { spec, metadata } = patched(pod({ labels: eci, annotations: auto, ...options }), change).pod as {
      readonly spec: UncheckedObject;
      readonly metadata: UncheckedObject;
    };
    return {
      containers: listAt(spec, 'containers'),
      initContainers: listAt(spec, 'initContainers'),
      pullSecrets: listAt(spec, 'imagePullSecrets'),
      volumes: listAt(spec, 'volumes'),
      labels: objectAt(metadata, 'labels'),
    };
  };
  const env = (container: UncheckedObject | undefined) =>
    Object.fromEntries(listAt(container, 'env').map(({ name, value }) => [name, value]));

  it('gets the dataset’s FUSE container before its own', () => {
    const { containers, volumes, labels } = mutated();
    expect(containers.map(({ name }) => name)).toEqual(['fluid-fuse-0', 'demo']);
    const [sidecar, app] = containers;
    expect(sidecar).toMatchObject({
      image: 'rekindle/fuse:dev',
      args: template.container.args,
      securityContext: { privileged: true },
    });
    expect(sidecar).not.toHaveProperty('ports');
    expect(listAt(sidecar, 'volumeMounts')).toEqual([
      { name: 'data', mountPath: '/jfs', mountPropagation: 'Bidirectional' },
      { name: 'jindofs-fuse-device-0', mountPath: '/dev/fuse' },
      { name: 'credentials-0', mountPath: '/etc/fluid/secrets', readOnly: true },
    ]);
    expect(listAt(app, 'volumeMounts')).toEqual([
      {
        name: 'data',
        mountPath: '/data',
        mountPropagation: 'HostToContainer',
        subPath: 'jindofs-fuse',
        readOnly: true,
      },
    ]);
    expect(volumes).toEqual([
      { name: 'data', emptyDir: {} },
      { name: 'jindofs-fuse-device-0', hostPath: { path: '/dev/fuse', type: 'CharDevice' } },
      { name: 'credentials-0', secret: { secretName: 'mysecret' } },
    ]);
    expect(labels).toEqual({
      ...eci,
      'done.sidecar.fluid.io/inject': 'true',
      'dataset-name.sidecar.fluid.io/fluid-fuse-0': 'demo',
      'dataset-namespace.sidecar.fluid.io/fluid-fuse-0': 'default',
    });
  });

  it.each<[string, PodOptions, Partial<ClusterState>, object]>([
    ['requests it', {}, {}, { FUSE_RECOVER_POLICY: 'auto', FUSE_MOUNT_READ_ONLY: 'true' }],
    ['has no annotation', { annotations: {} }, {}, { FUSE_RECOVER_POLICY: 'none', FUSE_MOUNT_READ_ONLY: 'true' }],
    [
      'has another value in the annotation',
      { annotations: { 'alibabacloud.com/fuse-recover-policy': 'Auto' } },
      {},
      { FUSE_RECOVER_POLICY: 'none', FUSE_MOUNT_READ_ONLY: 'true' },
    ],
    ['uses a read-write dataset', { claims: { data: 'scratch' } }, {}, { FUSE_RECOVER_POLICY: 'none' }],
    [
      'has a volume with only a directory of the dataset',
      {},
      { volumes: new Map([['default-demo', { ...volume('demo'), subdirectory: 'part' }]]) },
      { FUSE_RECOVER_POLICY: 'none', FUSE_MOUNT_READ_ONLY: 'true' },
    ],
  ])('enables recovery according to the request: the pod %s', (_title, options, change, expected) => {
    expect(env(mutated(options, change).containers[0])).toEqual(expected);
  });

  it('that ends by itself gets a sidecar that does not keep it from ending', () => {
    const prepare = { name: 'prepare', image: 'busybox' };
    const job = { restartPolicy: 'Never', initContainers: [prepare] };
    const { containers, initContainers } = mutated({ spec: job });
    expect(containers.map(({ name }) => name)).toEqual(['demo']);
    expect(initContainers).toMatchObject([{ name: 'fluid-fuse-0', restartPolicy: 'Always' }, prepare]);
    // It would take the data away while the application ends.
    expect(Object.keys(objectAt(initContainers[0], 'lifecycle'))).toEqual(['postStart']);
    expect(listAt(containers[0], 'volumeMounts')).toMatchObject([{ mountPath: '/data', subPath: 'jindofs-fuse' }]);
    const before = mutated({ spec: job }, { hasNativeSidecars: false });
    expect(before.containers.map(({ name }) => name)).toEqual(['fluid-fuse-0', 'demo']);
  });

  it.each([{ runAsUser: 1000 }, { runAsNonRoot: true }])(
    'gets a sidecar that runs as root, whatever it has: %j',
    (own) => {
      const { containers } = mutated({ spec: { securityContext: own } });
      expect(containers[0]?.securityContext).toEqual({
        privileged: true,
        runAsUser: 0,
        runAsGroup: 0,
        runAsNonRoot: false,
      });
      expect(containers[1]).not.toHaveProperty('securityContext');
      expect(mutated().containers[0]?.securityContext).toEqual({ privileged: true });
    },
  );

  it('gets a sidecar with the user that its daemon has', () => {
    const container = { ...template.container, securityContext: { privileged: true, runAsUser: 7 } };
    const daemons = new Map([['default/demo', { ...template, container }]]);
    const { containers } = mutated({ spec: { securityContext: { runAsUser: 1000 } } }, { daemons });
    expect(containers[0]?.securityContext).toMatchObject({ runAsUser: 7 });
  });

  it('gets the secrets with which the image of the sidecar is pulled', () => {
    const daemons = new Map([
      ['default/demo', { ...template, imagePullSecrets: [{ name: 'registry' }, { name: 'own' }] }],
    ]);
    const { pullSecrets } = mutated({ spec: { imagePullSecrets: [{ name: 'own' }] } }, { daemons });
    expect(pullSecrets).toEqual([{ name: 'own' }, { name: 'registry' }]);
    expect(mutated().pullSecrets).toEqual([]);
  });

  it('gets one sidecar for each dataset, in reverse order', () => {
    const mounts = [
      { name: 'a', mountPath: '/a' },
      { name: 'b', mountPath: '/b' },
    ];
    const { containers, volumes } = mutated({ claims: { a: 'demo', b: 'scratch' }, mounts });
    expect(containers.map(({ name }) => name)).toEqual(['fluid-fuse-1', 'fluid-fuse-0', 'demo']);
    expect(listAt(containers[2], 'volumeMounts')).toEqual([
      { name: 'a', mountPath: '/a', mountPropagation: 'HostToContainer', subPath: 'jindofs-fuse', readOnly: true },
      { name: 'b', mountPath: '/b', mountPropagation: 'HostToContainer', subPath: 'jindofs-fuse' },
    ]);
    expect(new Set(volumes.map(({ name }) => name)).size).toBe(volumes.length);
  });

  it('gets one sidecar for two volumes of one dataset', () => {
    const mounts = [
      { name: 'a', mountPath: '/a' },
      { name: 'b', mountPath: '/b' },
    ];
    const { containers, volumes } = mutated({ claims: { a: 'demo', b: 'demo' }, mounts });
    expect(containers.map(({ name }) => name)).toEqual(['fluid-fuse-0', 'demo']);
    expect(listAt(containers[1], 'volumeMounts').map(({ name }) => name)).toEqual(['a', 'a']);
    expect(volumes.map(({ name }) => name)).toEqual(['a', 'jindofs-fuse-device-0', 'credentials-0']);
  });

  it('keeps its own names, so that sidecar and volumes get unused ones', () => {
    const spec = {
      containers: [
        { name: 'fluid-fuse-0', image: 'mine' },
        { name: 'demo', image: 'x', volumeMounts: [{ name: 'data', mountPath: '/data' }] },
      ],
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: 'demo' } },
        { name: 'credentials-1', emptyDir: {} },
      ],
    };
    const { containers, volumes } = mutated({ spec });
    expect(containers.map(({ name }) => name)).toEqual(['fluid-fuse-1', 'fluid-fuse-0', 'demo']);
    expect(volumes.map(({ name }) => name)).toEqual([
      'data',
      'credentials-1',
      'jindofs-fuse-device-1',
      'fluid-credentials-1',
    ]);
  });

  it.each<[string, object, object]>([
    ['a directory', { subPath: 'logs' }, { subPath: 'jindofs-fuse/logs' }],
    ['an expression', { subPathExpr: '$(A)' }, { subPathExpr: 'jindofs-fuse/$(A)' }],
    ['recursiveReadOnly', { recursiveReadOnly: 'Enabled', readOnly: true }, { subPath: 'jindofs-fuse' }],
    ['propagation None', { mountPropagation: 'None' }, { subPath: 'jindofs-fuse' }],
  ])('keeps the volumeMount of a pod that does not request recovery: %s', (_title, change, expected) => {
    const { containers } = mutated({ annotations: {}, mounts: [{ name: 'data', mountPath: '/data', ...change }] });
    const plain = { name: 'data', mountPath: '/data', mountPropagation: 'HostToContainer', readOnly: true };
    expect(listAt(containers[1], 'volumeMounts')).toEqual([{ ...plain, ...expected }]);
  });

  it('gets hooks that wait for the mount and unmount it, unless the template defines them', () => {
    const [sidecar] = mutated().containers;
    const command = (hook: string) => (objectAt(sidecar, 'lifecycle', hook, 'exec').command as readonly string[])[2];
    expect(command('postStart')).toContain("' ''/jfs/jindofs-fuse'' '");
    expect(command('preStop')).toContain("'/jfs'/*) umount -l");
    const preStop = { exec: { command: ['/prestop.sh'] } };
    const own = { ...template, container: { ...template.container, lifecycle: { preStop } } };
    const [other] = mutated({}, { daemons: new Map([['default/demo', own]]) }).containers;
    expect(objectAt(other, 'lifecycle')).toMatchObject({ preStop, postStart: { exec: {} } });
  });

  it('is not changed a second time', () => {
    const first = patched(pod({ labels: { ...inject, ...eci }, annotations: auto }));
    expect(mutate(first, facts())).toEqual([]);
    expect(admit(first, facts())).toEqual({ allowed: true, warnings: [] });
  });
});

describe('a pod of any shape', () => {
  const anything = fc.record(
    {
      metadata: fc.oneof(fc.record({ labels: fc.constantFrom<unknown>(inject, eci, null, 'x', []) }), fc.anything()),
      spec: fc.oneof(
        fc.record(
          {
            containers: fc.oneof(
              fc.array(fc.oneof(fc.record({ name: fc.anything(), volumeMounts: fc.anything() }), fc.anything())),
              fc.anything(),
            ),
            initContainers: fc.anything(),
            volumes: fc.array(
              fc.oneof(fc.constant({ name: 'data', persistentVolumeClaim: { claimName: 'demo' } }), fc.anything()),
            ),
          },
          { requiredKeys: [] },
        ),
        fc.anything(),
      ),
    },
    { requiredKeys: [] },
  );

  it('is admitted or denied, and mutated, without an exception', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const candidate = { namespace: 'default', pod: value as UncheckedObject };
        expect(admit(candidate, facts())).toHaveProperty('allowed');
        expect(Array.isArray(mutate(candidate, facts()))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

/** Applies the pod's patch. All paths of these patches exist except for the last key. */
function patched(original: NewPod, change: Partial<ClusterState> = {}): NewPod {
  const copy = structuredClone(original.pod) as Record<string, unknown>;
  for (const { path, value } of mutate(original, facts(change))) {
    const keys = path.split('/').slice(1);
    const last = keys.pop() ?? '';
    let parent = copy;
    for (const key of keys) parent = parent[key] as Record<string, unknown>;
    parent[last] = value;
  }
  return { ...original, pod: copy };
}
