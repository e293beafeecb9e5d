import { describe, expect, it } from 'vitest';
import type { DeviceId } from './model.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import { createWorld, podNamed, volumeNamed, type World } from './testing/world.ts';

/** Mounts a FUSE filesystem of the application's own over the volume in its container. */
function mountOver(world: World): { readonly own: DeviceId; readonly devices: () => readonly DeviceId[] } {
  const table = world.kernel.processes[0]?.mounts ?? [];
  const own = world.kernel.mountFuse(table, '/data');
  const top = table.findIndex(({ device }) => device === own);
  const mount = table[top];
  if (mount !== undefined) table[top] = { ...mount, fstype: 'fuse.gocryptfs', mountSource: '/cipher' };
  const devices = () => table.filter(({ mountPoint }) => mountPoint === '/data').map(({ device }) => device);
  return { own, devices };
}

describe('a FUSE mount that the application put over the volume', () => {
  it.each(['hung', 'dead'] as const)('is left alone if it is %s', async (state) => {
    await using world = await oneHealthyPod();
    world.volumes.push(volumeNamed('other'));
    world.serve('other');
    const { own, devices } = mountOver(world);
    await world.clock.advance(65_000);
    const before = devices();
    world.kernel.setState(own, state);
    world.run(podNamed('pod-2', [{ volume: 'other' }]));
    world.kubernetesChanged();
    await world.clock.advance(70_000);
    expect(devices()).toEqual(before);
    expect(world.decisionsOf('replaced')).toEqual([]);
    expect(world.decisionsOf('recovered')).toEqual([]);
    expect(world.engine.unhealthy()).toEqual([]);
  });

  it('is left alone after a crash of the daemon, and does not delay the recovery of the other sites by hanging', async () => {
    await using world = await oneHealthyPod();
    const { own, devices } = mountOver(world);
    world.kernel.setState(own, 'hung');
    await world.clock.advance(65_000);
    const before = devices();
    crash(world);
    await world.clock.settle();
    world.serve('demo');
    await world.clock.settle();
    expect(world.decisionsOf('recovered').map(({ site }) => site.path)).toEqual([world.target('pod-1')]);
    expect(devices()).toEqual(before);
  });
});

describe('a container whose termination log is not where the spec of its pod requests it', () => {
  const recoveredIn = async (terminationLog: string, terminationMessagePath?: string) => {
    await using world = createWorld();
    world.volumes.push(volumeNamed('demo'));
    world.serve('demo');
    const pod = podNamed('pod-1', [{}]);
    const spec = { ...(terminationMessagePath === undefined ? {} : { terminationMessagePath }) };
    const [container] = world.run({ ...pod, containers: pod.containers.map((each) => ({ ...each, ...spec })) });
    if (container !== undefined) world.kernel.processes.splice(0, 1, { ...container, terminationLog });
    world.engine.start();
    await world.clock.settle();
    crash(world);
    await world.clock.settle();
    world.serve('demo');
    await world.clock.advance(10_000);
    return world
      .decisionsOf('recovered')
      .map(({ site }) => site.kind)
      .toSorted();
  };

  it('is left alone', async () => {
    expect(await recoveredIn('/a')).toEqual(['target']);
    expect(await recoveredIn('/dev/termination-log', '/tmp/why')).toEqual(['target']);
  });

  it('is recovered if the spec requests another path', async () => {
    expect(await recoveredIn('/tmp/why', '/tmp//why/')).toEqual(['container', 'target']);
  });
});
