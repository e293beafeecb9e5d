import { expect, it } from 'vitest';
import type { Nanoseconds } from './model.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import { podNamed, volumeNamed, type World } from './testing/world.ts';

const milliseconds = (ns: bigint | undefined) => Number(ns) / 1e6;

/** `pod place state reason` for each site. */
const sites = ({ engine }: World) =>
  engine
    .status()
    .flatMap(({ sites: all }) =>
      all.map(({ diagnosis: { site }, state, reason = '' }) =>
        `${site.podUid} ${site.kind === 'target' ? 'target' : site.container} ${state} ${reason}`.trim(),
      ),
    );

it('lists every site of a healthy volume, and its daemon', async () => {
  await using world = await oneHealthyPod();
  const [volume] = world.engine.status();
  expect(volume?.sources).toMatchObject([{ state: 'live', path: '/runtime-mnt/jindo/default/demo/jindofs-fuse' }]);
  expect(sites(world)).toEqual(['pod-1 target healthy', 'pod-1 app healthy']);
});

it('shows a container that no pass has seen yet', async () => {
  await using world = await oneHealthyPod();
  world.run(podNamed('pod-2', [{}]));
  expect(sites(world)).toContain('pod-2 app healthy');
});

it('states why a site waits, and since when', async () => {
  await using world = await oneHealthyPod();
  await world.clock.advance(60_000);
  const before = world.clock.now();
  crash(world);
  await world.clock.advance(10_000);
  expect(sites(world)).toEqual(['pod-1 target dead source-not-live', 'pod-1 app dead source-not-live']);
  const [{ sources, sites: [, inContainer] = [] } = { sources: [], sites: [] }] = world.engine.status();
  expect(inContainer?.detail).toContain('look at the daemon');
  expect(milliseconds((inContainer?.since ?? 0n) - before)).toBe(500);
  expect(sources).toMatchObject([{ state: 'dead', since: before }]);
});

it('measures the outage of the last recovery from when the daemon was first seen dead', async () => {
  await using world = await oneHealthyPod();
  await world.clock.advance(60_000);
  crash(world);
  await world.clock.advance(300);
  world.serve('demo');
  await world.clock.settle();
  const recovered = world.clock.now();
  await world.clock.advance(90_000);
  expect(sites(world)).toEqual(['pod-1 target healthy', 'pod-1 app healthy']);
  const recovery = world.engine.status()[0]?.sites[1]?.recovery;
  expect(milliseconds(recovery?.outage)).toBe(300);
  expect(recovery?.at).toBe(recovered);
  expect(world.engine.status()[0]?.sites[1]?.since).toBe(recovered);
});

it('does not count an earlier outage into the next one', async () => {
  await using world = await oneHealthyPod();
  for (const outageMs of [400, 7_000, 200]) {
    await world.clock.advance(60_000);
    crash(world);
    await world.clock.advance(outageMs);
    world.serve('demo');
    await world.clock.settle();
    expect(milliseconds(world.engine.status()[0]?.sites[1]?.recovery?.outage)).toBe(outageMs);
  }
});

it('gives the reason of each site that is left alone, whose daemon is back', async () => {
  await using world = await oneHealthyPod();
  world.volumes.push(volumeNamed('writable', { accessModes: ['ReadWriteMany'] }));
  world.serve('writable');
  world.run(podNamed('unlabelled', [{}], { labels: {} }));
  world.run(podNamed('writes', [{ volume: 'writable' }]));
  world.kubernetesChanged();
  await world.clock.advance(6_000);
  for (const volume of ['demo', 'writable']) {
    crash(world, volume);
    await world.clock.settle();
    world.serve(volume);
    await world.clock.settle();
  }
  await world.clock.advance(6_000);
  expect(sites(world)).toEqual([
    'pod-1 target healthy',
    'unlabelled target healthy',
    'pod-1 app healthy',
    'unlabelled app orphaned not-labelled',
    'writes target orphaned read-write',
    'writes app orphaned read-write',
  ]);
});

it('shows a replaced mount that its consumer cannot read, and how a replacement failed', async () => {
  await using world = await oneHealthyPod();
  crash(world);
  await world.clock.settle();
  world.kernel.deny(world.serve('demo'), 1000);
  await world.clock.settle();
  expect(sites(world)).toEqual(['pod-1 target healthy', 'pod-1 app replaced']);
  expect(world.engine.status()[0]?.sites[1]?.detail).toContain('EACCES');
  crash(world);
  await world.clock.settle();
  world.kernel.failWith((call, visited) => (call === 'move_mount' && visited === 'container' ? 'ENOSPC' : undefined));
  world.serve('demo');
  await world.clock.settle();
  expect(world.engine.status()[0]?.sites[1]).toMatchObject({
    state: 'orphaned',
    detail: expect.stringContaining('fs.mount-max'),
  });
  world.kernel.failWith(undefined);
  await world.clock.advance(6_000);
  expect(world.engine.status()[0]?.sites[1]?.detail).toBeUndefined();
});

it('asks no daemon', async () => {
  await using world = await oneHealthyPod();
  const { questions, reads } = world.kernel.counts;
  world.engine.status();
  expect(world.kernel.counts).toMatchObject({ questions, reads });
});

it.each(['dead', 'hung'] as const)('keeps the time of a %s daemon from one status to the next', async (state) => {
  await using world = await oneHealthyPod({ readDeadline: 100_000_000n as Nanoseconds });
  const device = world.sourceOf('demo');
  if (device === undefined) throw new Error('no daemon');
  world.kernel.setState(device, state);
  await world.clock.advance(20_000);
  const [first] = world.engine.status();
  await world.clock.advance(20_000);
  const [second] = world.engine.status();
  expect(first?.sources[0]?.state).toBe(state);
  expect(second?.sources[0]?.since).toBe(first?.sources[0]?.since);
  expect(second?.sites[1]?.since).toBe(first?.sites[1]?.since);
});
