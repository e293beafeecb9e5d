import { expect, it } from 'vitest';
import { type ClusterDrivers, draftProfile, driverNames } from './draft-profile.ts';
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
