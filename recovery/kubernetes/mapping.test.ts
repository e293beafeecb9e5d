import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Volume } from '../engine/model.ts';
import { toClaim, toPod, toPodSpec, toVolume } from './mapping.ts';
import { claimObject, source, volumeObject } from './testing/bound-claim.ts';

const volume: Volume = {
  name: 'default-demo',
  handle: 'default-demo',
  dataset: { namespace: 'default', name: 'demo' },
  sources: [source],
  subdirectory: '',
  accessModes: ['ReadOnlyMany'],
};

const podObject = {
  metadata: {
    uid: 'u1',
    namespace: 'default',
    name: 'app',
    labels: { 'fuse.serverful.fluid.io/inject': 'true' },
    annotations: { kept: 'yes', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
  },
  spec: {
    runtimeClassName: 'kata',
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'demo' } },
      { name: 'other', persistentVolumeClaim: { claimName: 'other', readOnly: true } },
      { name: 'token', projected: {} },
    ],
    initContainers: [{ name: 'init', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
    containers: [
      {
        name: 'main',
        terminationMessagePath: '/tmp/why',
        volumeMounts: [
          { name: 'data', mountPath: '/data', readOnly: true },
          { name: 'data', mountPath: '/part', subPath: 'a' },
          { name: 'data', mountPath: '/expr', subPathExpr: '$(POD)' },
          { name: 'other', mountPath: '/other' },
          { name: 'token', mountPath: '/token' },
        ],
      },
      { name: 'side' },
    ],
    ephemeralContainers: [{ name: 'debug', volumeMounts: [{ name: 'data', mountPath: '/mnt' }] }],
  },
};

const claim = { namespace: 'default', name: 'demo', volume: 'default-demo' };
const bound = {
  volumes: new Map([[volume.name, volume]]),
  claims: new Map([
    ['default/demo', claim],
    ['default/other', undefined],
  ]),
};

describe('a PersistentVolume', () => {
  it('becomes a volume with its dataset, sources and access modes', () => {
    expect(toVolume(volumeObject(), '/runtime-mnt')).toEqual(volume);
  });

  it('trims slashes from the subdirectory', () => {
    expect(toVolume(volumeObject({}, { fluid_sub_path: '/a/b/' }), '/runtime-mnt')?.subdirectory).toBe('a/b');
  });

  it('has no dataset before it is bound, and no access modes that Kubernetes does not know', () => {
    const seen = toVolume(
      volumeObject({ claimRef: undefined, accessModes: ['ReadWriteMany', 'Other', 3] }),
      '/runtime-mnt',
    );
    expect(seen).toMatchObject({ dataset: undefined, accessModes: ['ReadWriteMany'] });
  });

  it.each([
    [
      'of another driver',
      volumeObject({ csi: { driver: 'nfs', volumeHandle: 'x', volumeAttributes: { fluid_path: source } } }),
    ],
    ['without a source', volumeObject({}, { fluid_path: undefined })],
    ['with a source outside the mount root', volumeObject({}, { fluid_path: '/etc' })],
    ['with a source that climbs out', volumeObject({}, { fluid_path: '/runtime-mnt/../etc' })],
    ['with a subdirectory that climbs out', volumeObject({}, { fluid_sub_path: '../x' })],
    [
      'without a handle',
      volumeObject({ csi: { driver: 'fuse.csi.fluid.io', volumeAttributes: { fluid_path: source } } }),
    ],
    ['that is null', null],
  ])('%s is ignored', (_, object) => {
    expect(toVolume(object, '/runtime-mnt')).toBeUndefined();
  });
});

describe('a claim', () => {
  it('is mapped once it is bound', () => {
    expect(toClaim(claimObject)).toEqual(claim);
    expect(toClaim({ ...claimObject, spec: {} })).toBeUndefined();
  });
});

describe('a pod', () => {
  const podOf = (object: unknown) => {
    const spec = toPodSpec(object);
    return spec === undefined ? undefined : toPod(spec, bound);
  };

  it('keeps other mounts inside its volumes, with the directory of the kubelet', () => {
    const mounts = [
      { name: 'data', mountPath: '/data' },
      { name: 'cache', mountPath: '/data/cache', readOnly: true },
      { name: 'part', mountPath: '/data/part', subPath: 'x' },
      { name: 'other', mountPath: '/data/other' },
      { name: 'disk', mountPath: '/data/disk' },
      { name: 'cache', mountPath: '/database' },
    ];
    const volumes = [
      { name: 'data', persistentVolumeClaim: { claimName: 'demo' } },
      { name: 'cache', emptyDir: { medium: 'Memory' } },
      { name: 'part', emptyDir: {} },
      { name: 'other', persistentVolumeClaim: { claimName: 'other' } },
      { name: 'disk', nfs: {} },
    ];
    const spec = toPodSpec({ ...podObject, spec: { volumes, containers: [{ name: 'main', volumeMounts: mounts }] } });
    const claims = new Map([...bound.claims, ['default/other', { ...claim, name: 'other', volume: 'pv-1' }]]);
    expect(spec && toPod(spec, { ...bound, claims })?.containers[0]?.others).toEqual([
      { mountPath: '/data/cache', readOnly: true, directory: 'volumes/kubernetes.io~empty-dir/cache' },
      { mountPath: '/data/part', readOnly: false },
      { mountPath: '/data/disk', readOnly: false },
      { mountPath: '/data/other', readOnly: false, directory: 'volumes/kubernetes.io~csi/pv-1/mount' },
    ]);
  });

  it('keeps the mounts of its volumes in containers of every kind', () => {
    expect(podOf(podObject)).toEqual({
      uid: 'u1',
      namespace: 'default',
      name: 'app',
      labels: { 'fuse.serverful.fluid.io/inject': 'true' },
      annotations: { kept: 'yes' },
      runtimeClass: 'kata',
      deleting: false,
      volumes: ['default-demo'],
      containers: [
        { name: 'init', mounts: [{ volume: 'default-demo', mountPath: '/data', readOnly: false }] },
        {
          name: 'main',
          terminationMessagePath: '/tmp/why',
          mounts: [
            { volume: 'default-demo', mountPath: '/data', readOnly: true },
            { volume: 'default-demo', mountPath: '/part', readOnly: false, subPath: 'a' },
            { volume: 'default-demo', mountPath: '/expr', readOnly: false, subPath: '$(POD)' },
          ],
        },
        { name: 'side', mounts: [] },
        { name: 'debug', mounts: [{ volume: 'default-demo', mountPath: '/mnt', readOnly: false }] },
      ],
    });
  });

  it('is being deleted once it has a deletion timestamp', () => {
    const metadata = { ...podObject.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(podOf({ ...podObject, metadata })?.deleting).toBe(true);
  });

  it('mounts read-only what its claim is used read-only for', () => {
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'demo', readOnly: true } }];
    const seen = podOf({ ...podObject, spec: { ...podObject.spec, volumes } });
    expect(seen?.containers[0]?.mounts[0]?.readOnly).toBe(true);
  });

  it('follows a generic ephemeral volume to the claim that it makes', () => {
    const claims = new Map([['default/app-data', { namespace: 'default', name: 'app-data', volume: 'default-demo' }]]);
    const dataset = { namespace: 'default', name: 'app-data' };
    const volumes = new Map([[volume.name, { ...volume, dataset }]]);
    const object = { ...podObject, spec: { ...podObject.spec, volumes: [{ name: 'data', ephemeral: {} }] } };
    const spec = toPodSpec(object);
    expect(spec && toPod(spec, { volumes, claims })?.volumes).toEqual(['default-demo']);
  });

  it('may have further volumes until all of its claims have been read', () => {
    const spec = toPodSpec(podObject);
    const claims = new Map([['default/demo', claim]]);
    expect(spec && toPod(spec, { ...bound, claims })?.hasUnreadClaims).toBe(true);
  });

  it('may have further volumes until those of its claims have been read', () => {
    const spec = toPodSpec(podObject);
    const other = { namespace: 'default', name: 'other', volume: 'pv-1' };
    const claims = new Map([...bound.claims, ['default/other', other] as const]);
    expect(spec && toPod(spec, { ...bound, claims })?.hasUnreadClaims).toBe(true);
    const volumes = new Map<string, Volume | 'foreign'>([...bound.volumes, ['pv-1', 'foreign']]);
    expect(spec && toPod(spec, { claims, volumes })?.hasUnreadClaims).toBeUndefined();
  });

  it.each([
    ['whose volumes are of other drivers', { ...bound, volumes: new Map([[volume.name, 'foreign' as const]]) }],
    ['whose claim is not bound', { ...bound, claims: new Map([['default/demo', undefined]]) }],
    ['whose claims have not been read', { ...bound, claims: new Map() }],
    [
      'whose claim names a volume that is bound to another claim',
      {
        ...bound,
        volumes: new Map([[volume.name, { ...volume, dataset: { namespace: 'default', name: 'someone-else' } }]]),
      },
    ],
    [
      'whose claim of the same name is in another namespace',
      { ...bound, claims: new Map([['other/demo', { ...claim, namespace: 'other' }]]) },
    ],
  ])('%s is ignored', (_, given) => {
    const spec = toPodSpec(podObject);
    expect(spec).toBeDefined();
    expect(spec && toPod(spec, given)).toBeUndefined();
  });
});

describe('objects of any shape', () => {
  const keys = [
    'metadata',
    'spec',
    'csi',
    'volumes',
    'containers',
    'name',
    'uid',
    'namespace',
    'volumeMounts',
    'driver',
  ];
  const anything = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, 1, '', 'x', true),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 5 }),
    ),
  })).value;

  it('never break the mapping', () => {
    fc.assert(
      fc.property(anything, (object) => {
        const spec = toPodSpec(object);
        if (spec !== undefined) toPod(spec, bound);
        toVolume(object, '/runtime-mnt');
        toClaim(object);
      }),
    );
  });
});
