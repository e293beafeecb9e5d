import { describe, expect, it } from 'vitest';
import type { DeviceId, Mount } from './model.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import { createWorld, podNamed, sourcePath, volumeNamed, type World } from './testing/world.ts';

const gocryptfs: Partial<Mount> = { fstype: 'fuse.gocryptfs', mountSource: '/cipher' };

/** Mounts a FUSE filesystem of the application's own over the volume in its container. Without `facts` it resembles the volume's. */
function mountOver(
  world: World,
  facts: Partial<Mount> = gocryptfs,
): { readonly own: DeviceId; readonly devices: () => readonly DeviceId[] } {
  const table = world.kernel.processes[0]?.mounts ?? [];
  const own = world.kernel.mountFuse(table, '/data', 'live', facts);
  const devices = () => table.filter(({ mountPoint }) => mountPoint === '/data').map(({ device }) => device);
  return { own, devices };
}

describe('a FUSE mount that the application put over the volume', () => {
  it.each([
    ['hung', 'has a name of its own', gocryptfs],
    ['dead', 'has a name of its own', gocryptfs],
    ['hung', 'is named like the volume’s', {}],
    ['dead', 'is named like the volume’s', {}],
  ] as const)('is left alone if it is %s and %s', async (state, _, facts) => {
    await using world = await oneHealthyPod();
    world.volumes.push(volumeNamed('other'));
    world.serve('other');
    const { own, devices } = mountOver(world, facts);
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

describe('a mount that an earlier agent has stacked on the volume’s first one', () => {
  /** A pod with such mounts on the node and in its container, and a daemon that has died once more before the engine starts. */
  async function stackedTwice(): Promise<World> {
    const world = createWorld();
    world.volumes.push(volumeNamed('demo'));
    const first = world.serve('demo');
    const [container] = world.run(podNamed('pod-1', [{}]));
    world.kernel.crash(first);
    world.kernel.detach(world.kernel.host, sourcePath('demo'));
    const device = world.serve('demo');
    world.kernel.bind(world.kernel.host, world.target('pod-1'), { device });
    world.kernel.bind(container?.mounts ?? [], '/data', { device });
    world.kernel.crash(device);
    world.kernel.detach(world.kernel.host, sourcePath('demo'));
    world.serve('demo');
    return world;
  }

  it('is recovered', async () => {
    await using world = await stackedTwice();
    world.engine.start();
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
  });

  it('is recovered in a container that failed when the target path was recovered', async () => {
    await using world = await stackedTwice();
    world.kernel.failWith((_, visited) => (visited === 'container' ? 'ENOSPC' : undefined));
    world.engine.start();
    await world.clock.settle();
    expect(world.broken()).toEqual(['/data']);
    world.kernel.failWith(undefined);
    await world.clock.advance(15_000);
    expect(world.broken()).toEqual([]);
  });
});

describe('a container whose termination log is not where the spec of its pod requests it', () => {
  const recoveredIn = async (terminationLog: string, terminationMessagePath?: string) => {
    await using world = createWorld();
    world.volumes.push(volumeNamed('demo'));
    world.serve('demo');
    const pod = podNamed('pod-1', [{}]);
    const spec = { ...(terminationMessagePath === undefined ? {} : { terminationMessagePath }) };
    world.run({ ...pod, containers: pod.containers.map((each) => ({ ...each, ...spec })) }, { terminationLog });
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

  it('is reported once if another mount is where the spec requests it', async () => {
    await using world = createWorld();
    world.volumes.push(volumeNamed('demo'));
    world.serve('demo');
    const [container] = world.run(podNamed('pod-1', [{}]), { terminationLog: '/a' });
    world.kernel.mountFuse(container?.mounts ?? [], '/dev/termination-log');
    world.engine.start();
    await world.clock.settle();
    crash(world);
    world.serve('demo');
    await world.clock.advance(20_000);
    expect(world.decisionsOf('recovered').map(({ site }) => site.kind)).toEqual(['target']);
    expect(world.decisionsOf('skipped').map(({ reason, detail }) => [reason, detail])).toEqual([
      ['identity-conflict', expect.stringContaining('is at /a, and its pod requests it at /dev/termination-log')],
    ]);
  });

  it('is recovered if the spec requests another path', async () => {
    expect(await recoveredIn('/tmp/why', '/tmp//why/')).toEqual(['container', 'target']);
  });
});
