import { expect, it } from 'vitest';
import type { Container, DeviceId, Mount, Nanoseconds } from './model.ts';
import { NodeSnapshot, SnapshotCache, type SnapshotFacts } from './snapshot.ts';
import { containerOf, tableOf } from './testing/observations.ts';
import { kubeletRoot, podNamed, volumeNamed } from './testing/world.ts';

const volume = volumeNamed('demo');
const inside = tableOf([{ mountPoint: '/data', device: '0:50' as DeviceId }]);
const container: Container = containerOf('pod-1', inside);
const facts: SnapshotFacts = {
  tier: '6.5',
  takenAt: 0n as Nanoseconds,
  kubeletRoot,
  mounts: [],
  containers: [container],
  volumes: [volume],
  pods: [podNamed('pod-1', [{}, { mountPath: '/other' }])],
  lookUps: new Map(),
  earlierDevices: new Map(),
};

it('reflects a changed pod although its container is unchanged', () => {
  const before = new NodeSnapshot(facts);
  const pods = [podNamed('pod-1', [{ readOnly: true }, { mountPath: '/other' }])];
  const readOnly = [before, new NodeSnapshot({ ...facts, pods }, before)].map(
    (snapshot) => snapshot.sites(volume).find(({ site }) => site.path === '/data')?.volumeMount?.readOnly,
  );
  expect(readOnly).toEqual([false, true]);
});

it('takes over the sites of an unchanged container from the previous snapshot', () => {
  const found = { ...facts, pods: [podNamed('pod-1', [{}])] };
  const before = new NodeSnapshot(found);
  const mounts: readonly Mount[] = [...inside];
  const after = new NodeSnapshot({ ...found, mounts, containers: [container] }, before);
  const inContainer = (snapshot: NodeSnapshot) =>
    snapshot.sites(volume).filter(({ site }) => site.kind === 'container');
  expect(inContainer(after)[0]?.stack).toHaveLength(1);
  for (const [index, site] of inContainer(after).entries()) expect(site).toBe(inContainer(before)[index]);
});

it('knows which containers and mounts have gone', () => {
  const snapshot = new NodeSnapshot(facts);
  const { pid, mountNamespace } = container;
  const site = { kind: 'container', podUid: 'pod-1', container: 'app', mountNamespace, pid, path: '/data' } as const;
  expect(snapshot.isGone(site)).toBe(false);
  expect(snapshot.isGone({ ...site, path: '/other' })).toBe(true);
  expect(snapshot.isGone({ ...site, mountNamespace: 'mnt:[0]' })).toBe(true);
  // Another process of the container is as good.
  expect(snapshot.isGone({ ...site, pid: 1 })).toBe(false);
});

it('keeps devices of a volume that is not known yet, as long as they exist', () => {
  const device = '0:50' as DeviceId;
  let containers = [container];
  let volumes: (typeof volume)[] = [];
  const cache = new SnapshotCache({
    kernel: { tier: '6.5', hostMounts: () => ({ ok: true, value: [] }), containers: () => containers },
    kubernetes: { view: () => ({ volumes, pods: [] }) },
    clock: { now: () => 0n as Nanoseconds },
    kubeletRoot: () => kubeletRoot,
    standby: false,
    containersMaxAge: 0n as Nanoseconds,
    lookUps: { answers: new Map(), retain: () => {} },
    onDevices: () => {},
  });
  const devices = () => {
    volumes = [];
    cache.scan('fresh');
    volumes = [volume];
    return cache.scan('fresh')?.evidence(volume).devices.has(device);
  };
  cache.remember(volume.name, new Map([[device, 'fuse.jindo jindofs']]));
  expect(devices()).toBe(true);
  containers = [];
  cache.scan('fresh');
  expect(devices()).toBe(false);
});
