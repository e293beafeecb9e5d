import { describe, expect, it } from 'vitest';
import { origin, removableMount, targetOwner, volumeEvidence } from './identity.ts';
import type { DeviceId, Mount, VolumeRecord } from './model.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import { tableOf } from './testing/observations.ts';
import { createWorld, podNamed, recordOf, volumeNamed, type World } from './testing/world.ts';

const demo = volumeNamed('demo', { handle: 'handle-of-demo' });
const ours = recordOf('demo', 'handle-of-demo');
/** The kubelet's record of an inline volume, whose handle it makes up and whose name the pod chooses. */
const inline: VolumeRecord = {
  driverName: 'other.csi.example.com',
  volumeHandle: `csi-${'0a'.repeat(32)}`,
  specVolID: 'demo',
};
const claims = podNamed('pod-1', [{}]);
const claimsAnother = podNamed('pod-1', [{ volume: 'another' }]);
const claimsUnread = { ...claimsAnother, hasUnreadClaims: true } as const;

describe('a target path with the name of a volume', () => {
  it.each([
    ['is its', 'its pod claims the volume and the record agrees', claims, ours, 'volume'],
    ['is its', 'its pod claims the volume and there is no record', claims, undefined, 'volume'],
    ['is its', 'its pod is unknown and the record names the volume', undefined, ours, 'volume'],
    ['is its', 'a claim of its pod is unread and the record names the volume', claimsUnread, ours, 'volume'],
    ['is not its', 'a claim of its pod is unread and there is no record', claimsUnread, undefined, 'other'],
    ['is contested', 'its pod claims the volume and the record names an inline volume', claims, inline, 'conflict'],
    ['is contested', 'its pod claims another volume and the record names this one', claimsAnother, ours, 'conflict'],
    ['is not its', 'its pod is unknown and there is no record', undefined, undefined, 'other'],
    ['is not its', 'its pod is unknown and the record names an inline volume', undefined, inline, 'other'],
    ['is not its', 'its pod claims another volume', claimsAnother, undefined, 'other'],
    ['is not its', 'the record has another handle', undefined, { ...ours, volumeHandle: 'another' }, 'other'],
    ['is not its', 'the record has another driver', undefined, { ...ours, driverName: 'other.example.com' }, 'other'],
    ['is not its', 'the record has another name', undefined, { ...ours, specVolID: 'another' }, 'other'],
  ])('%s if %s', (_, __, pod, record, kind) => {
    expect(targetOwner(demo, { pod, record }).kind).toBe(kind);
  });
});

describe('the visible mount of a site', () => {
  const layer = (device: string, facts: Partial<Mount> = {}) => ({
    mountPoint: '/data',
    device: device as DeviceId,
    ...facts,
  });
  const own = { fstype: 'fuse.gocryptfs', mountSource: '/cipher' };
  const [, certain, stacked, foreign] = tableOf([layer('0:50'), layer('0:51'), layer('0:52', own)]);
  const onNode = [stacked, foreign].filter((mount) => mount !== undefined);
  const evidence = volumeEvidence(
    { certain: certain ? [certain] : [], onNode },
    new Map([['0:49' as DeviceId, origin(certain as Mount)]]),
  );
  it.each([
    ['may be removed', 'it is the only one, which the runtime put there', [layer('0:70', own)], true],
    ['may be removed', 'the volume has its device', [layer('0:48'), layer('0:50')], true],
    ['may be removed', 'the volume had its device earlier', [layer('0:70', own), layer('0:49')], true],
    ['may be removed', 'an earlier agent has put its device on the node', [layer('0:70', own), layer('0:51')], true],
    [
      'is the application’s',
      'the kernel has given it a number that was the volume’s',
      [layer('0:70'), layer('0:49', own)],
      false,
    ],
    ['is the application’s', 'another put its device on the node', [layer('0:50'), layer('0:52', own)], false],
    ['is the application’s', 'it only resembles those of the volume', [layer('0:50'), layer('0:71')], false],
    ['is the application’s', 'only a daemon of its own is known', [layer('0:50'), layer('0:70', own)], false],
    ['is the application’s', 'it is no FUSE mount', [layer('0:50', { fstype: 'tmpfs' })], false],
  ])('%s if %s', (_, __, layers, isRemovable) => {
    const stack = tableOf(layers).slice(1);
    expect(removableMount({ stack }, evidence)).toBe(isRemovable ? stack.at(-1) : undefined);
    expect(removableMount({ stack, conflict: 'who knows' }, evidence)).toBeUndefined();
  });
});

/** Restarts the daemon of the volume, with the other driver's daemon dead at the pod's target path. */
async function crashBoth(world: World, foreign: DeviceId): Promise<void> {
  world.kernel.crash(foreign);
  crash(world);
  await world.clock.settle();
  world.serve('demo');
  await world.clock.advance(20_000);
}

describe('an inline volume of another driver with the name of a PersistentVolume', () => {
  async function withInline(record: VolumeRecord | undefined) {
    const world = createWorld();
    world.volumes.push(volumeNamed('demo'));
    world.serve('demo');
    const foreign = world.kernel.mountFuse(world.kernel.host, world.target('attacker'));
    if (record !== undefined) world.kernel.records.set(world.target('attacker'), record);
    world.engine.start();
    await crashBoth(world, foreign);
    return { world, device: world.top(world.kernel.host, world.target('attacker'))?.device, foreign };
  }

  it.each([
    ['is recorded', inline],
    ['has no record', undefined],
  ])('is left alone if it %s', async (_, record) => {
    const { world, device, foreign } = await withInline(record);
    await using _world = world;
    expect(device).toBe(foreign);
    expect(world.decisionsOf('replaced')).toEqual([]);
    expect(world.engine.unhealthy()).toEqual([]);
  });

  it('is left alone with one event if its pod claims the volume, too', async () => {
    await using world = await oneHealthyPod();
    world.kernel.detach(world.kernel.host, world.target('pod-1'));
    const foreign = world.kernel.mountFuse(world.kernel.host, world.target('pod-1'));
    world.kernel.records.set(world.target('pod-1'), inline);
    world.replaceEngine();
    world.engine.start();
    await crashBoth(world, foreign);
    expect(world.top(world.kernel.host, world.target('pod-1'))?.device).toBe(foreign);
    const skipped = world.decisionsOf('skipped').filter(({ site }) => site.kind === 'target');
    expect(skipped.map(({ reason }) => reason)).toEqual(['identity-conflict']);
    expect(skipped[0]?.detail).toContain('other.csi.example.com');
    expect(world.decisionsOf('replaced')).toEqual([]);
  });
});

it('recovers the target path of a pod that the API server has forgotten, by the kubelet’s record', async () => {
  await using world = await oneHealthyPod();
  world.pods.splice(0);
  world.kubernetesChanged();
  crash(world);
  await world.clock.settle();
  world.serve('demo');
  await world.clock.settle();
  expect(world.decisionsOf('recovered').map(({ site }) => site.path)).toEqual([world.target('pod-1')]);
});
