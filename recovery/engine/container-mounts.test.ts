import { describe, expect, it } from 'vitest';
import type { VolumeMount } from './model.ts';
import { crash } from './testing/healthy-pod.ts';
import { createWorld, podNamed, volumeNamed, type World } from './testing/world.ts';

const links = { '/var/run': '/run', '/mnt': '/media/mnt' };

/** A world with a pod whose image has symbolic links, and an engine that has not been started. */
function withLinks(
  mounts: readonly Partial<VolumeMount>[],
  { labelled = true, log = '/dev/termination-log' } = {},
): World {
  const world = createWorld();
  world.volumes.push(volumeNamed('demo'));
  world.serve('demo');
  const pod = podNamed('pod-1', mounts, labelled ? {} : { labels: {} });
  const containers = pod.containers.map((each) => ({ ...each, terminationMessagePath: log }));
  world.run({ ...pod, containers }, { links });
  return world;
}

async function restartDaemon(world: World): Promise<void> {
  crash(world);
  await world.clock.settle();
  world.serve('demo');
  await world.clock.advance(15_000);
}

const recoveredInside = (world: World) =>
  world
    .decisionsOf('recovered')
    .map(({ site }) => site.path)
    .filter((path) => path !== world.target('pod-1'))
    .toSorted();

describe('a mount path that leads through a symbolic link of the image', () => {
  it('is recovered where it leads', async () => {
    await using world = withLinks([{ mountPath: '/var/run/data' }]);
    world.engine.start();
    await restartDaemon(world);
    expect(recoveredInside(world)).toEqual(['/run/data']);
  });

  it('is recovered if the container has two mounts of the volume, each with its own access', async () => {
    await using world = withLinks([{ mountPath: '/var/run/data' }, { mountPath: '/mnt/data', readOnly: true }]);
    world.engine.start();
    await restartDaemon(world);
    expect(recoveredInside(world)).toEqual(['/media/mnt/data', '/run/data']);
  });

  it('is recovered if the pod is labelled only once the dead device has left the node', async () => {
    await using world = withLinks([{ mountPath: '/var/run/data' }, { mountPath: '/mnt/data' }], { labelled: false });
    world.engine.start();
    await restartDaemon(world);
    expect(recoveredInside(world)).toEqual([]);
    world.replaceEngine();
    world.engine.start();
    await world.clock.advance(15_000);
    const [pod] = world.pods.splice(0);
    if (pod !== undefined) world.pods.push({ ...pod, labels: podNamed('', []).labels });
    world.kubernetesChanged();
    await world.clock.advance(15_000);
    expect(recoveredInside(world)).toEqual(['/media/mnt/data', '/run/data']);
  });

  it('is recovered after a failed attempt', async () => {
    await using world = withLinks([{ mountPath: '/var/run/data' }, { mountPath: '/mnt/data' }]);
    world.engine.start();
    world.kernel.failWith((_, visited) => (visited === 'container' ? 'ENOSPC' : undefined));
    await restartDaemon(world);
    expect(recoveredInside(world)).toEqual([]);
    world.kernel.failWith(undefined);
    await world.clock.advance(15_000);
    expect(recoveredInside(world)).toEqual(['/media/mnt/data', '/run/data']);
  });

  it('is reported once if the link leads elsewhere by now', async () => {
    await using world = withLinks([{ mountPath: '/var/run/data' }, { mountPath: '/mnt/data' }]);
    const [container] = world.kernel.processes;
    if (container !== undefined) world.kernel.processes.splice(0, 1, { ...container, links: {} });
    world.engine.start();
    await restartDaemon(world);
    expect(recoveredInside(world)).toEqual([]);
    const skipped = world.decisionsOf('skipped').filter(({ reason }) => reason === 'mount-not-found');
    expect(skipped.map(({ site }) => site.path).toSorted()).toEqual(['/mnt/data', '/var/run/data']);
  });

  it('does not make the engine remove another mount to which the container has let the link lead', async () => {
    await using world = withLinks([{ mountPath: '/var/run/data' }, { mountPath: '/mnt/data' }]);
    const [container] = world.kernel.processes;
    const table = container?.mounts ?? [];
    const own = world.kernel.mountFuse(table, '/own/data', 'live', { fstype: 'fuse.own', mountSource: 'own' });
    world.kernel.crash(own);
    if (container !== undefined)
      world.kernel.processes.splice(0, 1, { ...container, links: { ...links, '/var/run': '/own' } });
    world.engine.start();
    await restartDaemon(world);
    expect(table.some(({ device }) => device === own)).toBe(true);
    expect(recoveredInside(world)).toEqual(['/media/mnt/data']);
  });
});

it('recovers a container whose termination log lies behind a symbolic link', async () => {
  await using world = withLinks([{}], { log: '/var/run/log' });
  world.engine.start();
  await restartDaemon(world);
  expect(recoveredInside(world)).toEqual(['/data']);
});
