import { describe, expect, it } from 'vitest';
import type { Policy } from './model.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import { openPolicy, podNamed, volumeNamed, type World } from './testing/world.ts';

describe('limits', () => {
  it.each<{ readonly reason: string; readonly policy?: Partial<Policy>; readonly arrange?: (world: World) => void }>([
    { reason: 'gate-off', policy: { enabled: false } },
    {
      reason: 'read-write',
      arrange: ({ volumes }) =>
        void volumes.splice(0, 1, volumeNamed('demo', { accessModes: ['ReadOnlyMany', 'ReadWriteMany'] })),
    },
    {
      reason: 'read-write',
      policy: { readWriteScope: 'cluster' },
      arrange: (world) => void world.volumes.push(volumeNamed('other', { accessModes: ['ReadWriteOnce'] })),
    },
  ])('$reason: nothing is mounted and the reason is told', async ({ reason, policy, arrange }) => {
    await using world = await oneHealthyPod();
    world.policy = { ...openPolicy, ...policy };
    arrange?.(world);
    crash(world);
    world.serve('demo');
    await world.clock.advance(20_000);
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.named('skipped').map((each) => each.reason)).toEqual([reason, reason]);
    expect(world.named('recovered')).toEqual([]);
  });

  it.each<{ readonly reason: string; readonly pod: Parameters<typeof podNamed> }>([
    { reason: 'not-labelled', pod: ['pod-2', [{}], { labels: {} }] },
    { reason: 'not-labelled', pod: ['pod-2', [{}], { labels: { 'fuse.serverful.fluid.io/inject': 'yes' } }] },
    { reason: 'sub-path', pod: ['pod-2', [{ subPath: 'sub' }]] },
    { reason: 'unsupported-runtime', pod: ['pod-2', [{}], { runtimeClass: 'kata' }] },
  ])('$reason: the target path is healed, the container is not entered', async ({ reason, pod }) => {
    await using world = await oneHealthyPod();
    world.run(podNamed(...pod));
    crash(world);
    world.serve('demo');
    await world.clock.advance(20_000);
    expect(world.broken()).toEqual(['/data']);
    expect(world.named('skipped')).toMatchObject([{ reason, site: { kind: 'container', podUid: 'pod-2' } }]);
    expect(world.engine.unhealthy()).toMatchObject([{ reason, diagnosis: { site: { podUid: 'pod-2' } } }]);
  });

  it('leaves a pod that is being deleted alone, its target path too', async () => {
    await using world = await oneHealthyPod();
    world.pods[0] = podNamed('pod-1', [{}], { deleting: true });
    crash(world);
    world.serve('demo');
    await world.clock.advance(6_000);
    expect(world.kernel.counts.replacements).toBe(0);
  });

  it('tells of a daemon that is down once in an outage, and again in the next one', async () => {
    await using world = await oneHealthyPod();
    for (const outages of [1, 2, 3]) {
      crash(world);
      await world.clock.advance(60_000);
      const told = world.named('skipped').filter(({ reason }) => reason === 'source-not-live');
      expect(told).toHaveLength(2 * outages);
      const dead = world.named('noticed').filter(({ source }) => source.state === 'dead');
      expect(dead).toHaveLength(outages);
      world.serve('demo');
      await world.clock.settle();
    }
  });

  it('says nothing of what waits for a daemon that is back within half a second', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.advance(400);
    expect(world.named('noticed').at(-1)).toMatchObject({ source: { state: 'dead' } });
    expect(world.named('skipped')).toEqual([]);
    world.serve('demo');
    await world.clock.advance(10_000);
    expect(world.named('skipped')).toEqual([]);
    crash(world);
    await world.clock.advance(600);
    expect(world.named('skipped').map(({ reason }) => reason)).toEqual(['source-not-live', 'source-not-live']);
  });

  it('does nothing again at the resyncs after a recovery', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    await world.clock.advance(30_000);
    expect(world.named('passed').filter(({ actions }) => actions > 0)).toHaveLength(1);
    expect(world.named('recovered')).toHaveLength(2);
  });

  it('recovers at once when the gate is turned on', async () => {
    await using world = await oneHealthyPod();
    world.policy = { ...openPolicy, enabled: false };
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toHaveLength(2);
    world.policy = openPolicy;
    await world.engine.pass('kubernetes');
    expect(world.broken()).toEqual([]);
  });

  it('skips a volume whose lock is held and comes back as soon as it is free', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const lock = world.locks.tryAcquire('demo');
    world.serve('demo');
    await world.clock.settle();
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.named('skipped').at(-1)?.reason).toBe('locked-volume');
    lock?.[Symbol.dispose]();
    await world.clock.advance(100);
    expect(world.broken()).toEqual([]);
    expect(world.locks.tryAcquire('demo')).toBeDefined();
  });
});
