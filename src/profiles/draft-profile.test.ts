import { expect, it } from 'vitest';
import { type ClusterDrivers, draftProfile, driverNames, findVolumeInUse } from './draft-profile.ts';
import { parseProfile } from './load-profile.ts';

const plugin = {
  metadata: { namespace: 'drivers', name: 'node' },
  spec: {
    selector: {},
    template: {
      spec: {
        containers: [{ name: 'node-driver-registrar' }, { name: 'csi', args: ['--v=5'] }],
        volumes: [{ name: 'socket', hostPath: { path: '/var/lib/kubelet/plugins/x.example.com' } }],
      },
    },
  },
};
const other = {
  ...plugin,
  metadata: { namespace: 'kube-system', name: 'proxy' },
  spec: { ...plugin.spec, template: {} },
};
const fuse = {
  metadata: { namespace: 'drivers', name: 'mount-1', labels: { volume: 'v1' } },
  spec: {
    containers: [{ name: 'mount', volumeMounts: [{ name: 'm', mountPath: '/m', mountPropagation: 'Bidirectional' }] }],
  },
};
const cluster = {
  drivers: [
    { metadata: { name: 'y.example.com' }, spec: {} },
    { metadata: { name: 'x.example.com' }, spec: {} },
  ],
  daemonSets: [other, plugin],
  classes: [{ metadata: { name: 'fast' }, provisioner: 'x.example.com' }],
  pods: [fuse],
  claims: [],
  volumes: [],
} as ClusterDrivers;

it('names the drivers of a cluster', () => {
  expect(driverNames(cluster)).toEqual(['x.example.com', 'y.example.com']);
});

it('drafts a valid profile from a StorageClass, the node plugin and a FUSE pod', () => {
  const draft = draftProfile(cluster, 'x.example.com');
  expect(parseProfile(draft, 'x.yaml')).toMatchObject({
    name: 'x-example-com',
    volume: {
      driver: 'x.example.com',
      objects: [{ kind: 'PersistentVolumeClaim', spec: { storageClassName: 'fast' } }],
    },
    process: { pod: { namespace: 'drivers', selector: 'volume=v1', container: 'mount' } },
    restartedBy: 'kubelet',
    find: { daemonSet: { namespace: 'drivers', name: 'node', container: 'csi' } },
  });
  expect(draft).toContain('# The StorageClass fast is there.');
});

it('drafts a valid profile with what is left to do if the cluster shows nothing', () => {
  const draft = draftProfile({ ...cluster, classes: [], pods: [], daemonSets: [other as never] }, 'x.example.com');
  const profile = parseProfile(draft, 'x.yaml');
  expect(profile).toMatchObject({ process: { plugin: '^TODO .*{volume}' } });
  expect(profile.find).toBeUndefined();
  expect(profile.volume?.objects.map(({ kind }) => kind)).toEqual(['PersistentVolume', 'PersistentVolumeClaim']);
  expect(draft.match(/TODO:/g)).toHaveLength(4);
});

const uid = '11111111-2222-3333-4444-555555555555';
const user = {
  metadata: { namespace: 'team', name: 'web', uid },
  spec: {
    containers: [
      { name: 'app', volumeMounts: [{ name: 'data', mountPath: '/data', mountPropagation: 'HostToContainer' }] },
    ],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
  },
  status: { phase: 'Running' },
};
const inUse = (annotations = {}, volumeAttributes = {}) =>
  ({
    ...cluster,
    pods: [
      { metadata: { name: 'waits' }, spec: user.spec, status: { phase: 'Pending' } },
      user,
      {
        metadata: {
          namespace: 'drivers',
          name: 'node-x',
          uid: 'p1',
          ownerReferences: [{ kind: 'DaemonSet', name: 'node' }],
        },
      },
      {
        metadata: { namespace: 'mounts', name: 'm', uid: 'p2', labels: { app: 'fuse', for: 'pv-1' } },
        spec: { containers: [{ name: 'fuse' }] },
      },
    ],
    claims: [{ metadata: { namespace: 'team', name: 'data' }, spec: { volumeName: 'pv-1' } }],
    volumes: [
      {
        metadata: { name: 'pv-1', annotations },
        spec: {
          accessModes: ['ReadOnlyMany'],
          storageClassName: 'fast',
          csi: { driver: 'x.example.com', volumeHandle: 'v', volumeAttributes },
        },
      },
    ],
  }) as unknown as ClusterDrivers;
const provisioned = { 'pv.kubernetes.io/provisioned-by': 'x.example.com' };
const draft = (shown: ClusterDrivers, details?: Parameters<typeof draftProfile>[2]) =>
  parseProfile(draftProfile(shown, 'x.example.com', details), 'x.yaml');

it('finds the volume that a running pod uses, and needs of the pod', () => {
  expect(findVolumeInUse(inUse(), 'x.example.com')).toEqual({ pod: user, volume: 'pv-1' });
  expect(findVolumeInUse(inUse(), 'y.example.com')).toBeUndefined();
  expect(draft(inUse()).pod.propagation).toBe('HostToContainer');
});

it('takes attributes and keys of secrets from a volume that was made by hand, with placeholders by their names', () => {
  const attributes = { bucketName: 'b', url: 'http://s3', prefix: 'p', mode: 'fast' };
  const [secret, volume] =
    draft(inUse({}, attributes), { secretKeys: ['access-key', 'secret-key'] }).volume?.objects ?? [];
  expect(volume).toMatchObject({
    kind: 'PersistentVolume',
    spec: {
      accessModes: ['ReadOnlyMany'],
      csi: { volumeAttributes: { bucketName: '{bucket}', url: '{endpoint}', prefix: '{directory}', mode: 'fast' } },
    },
  });
  expect(secret).toMatchObject({ stringData: { 'access-key': '{accessKeyId}', 'secret-key': '{secretAccessKey}' } });
});

it('takes the parameters of a StorageClass that name the object store, and otherwise claims a volume that a pod fills', () => {
  const classes = [
    {
      metadata: { name: 'fast' },
      provisioner: 'x.example.com',
      parameters: { bucket: 'b', 'csi.storage.k8s.io/x': 'y' },
    },
  ];
  const named = draft({ ...inUse(provisioned), classes } as ClusterDrivers);
  expect(named.volume?.objects[0]).toMatchObject({ kind: 'StorageClass', parameters: { bucket: '{bucket}' } });
  expect(named.fill).toBe('store');
  const unnamed = draft(inUse(provisioned));
  expect(unnamed.volume?.objects.map(({ kind }) => kind)).toEqual(['PersistentVolumeClaim']);
  expect(unnamed.fill).toBe('pod');
});

it.each([
  ['the node plugin', 'p1', { plugin: '^/bin/s3\\.fs .*{pod}' }],
  ['the node', undefined, { host: '^/bin/s3\\.fs .*{pod}' }],
  ['a pod of its own', 'p2', { pod: { namespace: 'mounts', selector: 'for={volume}', container: 'fuse' } }],
])('finds a process of %s', (_, podUid, process) => {
  const server = { command: `/bin/s3.fs -f /pods/${uid}/mount`, ...(podUid && { podUid }) };
  expect(draft(inUse(), { server }).process).toEqual(process);
});

it('leaves the pattern of a process open whose command line names neither pod nor volume', () => {
  const server = { command: 'fused --all', podUid: 'p1' };
  expect(draft(inUse(), { server }).process).toEqual({ plugin: '^fused .*TODO' });
});

it('drafts an inline volume', () => {
  const volumes = [{ name: 'data', csi: { driver: 'x.example.com', volumeAttributes: { bucket: 'b' } } }];
  const pods = [{ ...user, spec: { ...user.spec, volumes } }];
  const { volume } = draft({ ...cluster, classes: [], pods } as unknown as ClusterDrivers);
  expect(volume).toEqual({
    driver: 'x.example.com',
    objects: [],
    source: { csi: { driver: 'x.example.com', volumeAttributes: { bucket: '{bucket}' } } },
  });
});
