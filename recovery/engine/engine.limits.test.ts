import { describe, expect, it } from 'vitest';
import type { Policy } from './model.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import { kubeletRoot, openPolicy, podNamed, volumeNamed, type World } from './testing/world.ts';

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
  ])('$reason: mounts nothing and reports the reason', async ({ reason, policy, arrange }) => {
    await using world = await oneHealthyPod();
    world.policy = { ...openPolicy, ...policy };
    arrange?.(world);
    crash(world);
    world.serve('demo');
    await world.clock.advance(20_000);
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.decisionsOf('skipped').map((each) => each.reason)).toEqual([reason, reason]);
    expect(world.decisionsOf('recovered')).toEqual([]);
  });

  it.each<{ readonly reason: string; readonly pod: Parameters<typeof podNamed> }>([
    { reason: 'not-labelled', pod: ['pod-2', [{}], { labels: {} }] },
    { reason: 'not-labelled', pod: ['pod-2', [{}], { labels: { 'fuse.serverful.fluid.io/inject': 'yes' } }] },
    { reason: 'unsupported-runtime', pod: ['pod-2', [{}], { runtimeClass: 'kata' }] },
  ])('$reason: recovers the target path without entering the container', async ({ reason, pod }) => {
    await using world = await oneHealthyPod();
    world.run(podNamed(...pod));
    crash(world);
    world.serve('demo');
    await world.clock.advance(20_000);
    expect(world.broken()).toEqual(['/data']);
    expect(world.decisionsOf('skipped')).toMatchObject([{ reason, site: { kind: 'container', podUid: 'pod-2' } }]);
    expect(world.engine.unhealthy()).toMatchObject([{ reason, diagnosis: { site: { podUid: 'pod-2' } } }]);
  });

  it('sub-path: recovers the target path, and neither enters the container nor touches the directory that it starts from', async () => {
    await using world = await oneHealthyPod();
    world.run(podNamed('pod-2', [{ subPath: 'sub' }]));
    crash(world);
    world.serve('demo');
    await world.clock.advance(20_000);
    const bind = { kind: 'target', podUid: 'pod-2', subPathOf: 'app' };
    const left = [bind, { kind: 'container', podUid: 'pod-2' }];
    expect(world.broken()).toEqual(['/data']);
    expect(world.decisionsOf('skipped')).toMatchObject(left.map((site) => ({ reason: 'sub-path', site })));
    expect(world.engine.unhealthy()).toMatchObject(left.map((site) => ({ reason: 'sub-path', diagnosis: { site } })));
    expect(world.decisionsOf('replaced').map(({ site }) => site)).not.toContainEqual(expect.objectContaining(bind));
  });

  it('--sub-path=recover: recovers the directory in the container, and where the kubelet starts it from', async () => {
    await using world = await oneHealthyPod();
    world.policy = { ...openPolicy, subPath: 'recover' };
    world.run(podNamed('pod-2', [{ subPath: 'sub' }]));
    const path = `${kubeletRoot}/pods/pod-2/volume-subpaths/demo/app/0`;
    for (const _ of [1, 2]) {
      crash(world);
      world.serve('demo');
      await world.clock.advance(20_000);
      const { device, root } = world.top(world.kernel.host, path) ?? {};
      expect({ device, root }).toEqual({ device: world.sourceOf('demo'), root: '/sub' });
      expect(world.broken()).toEqual([]);
    }
    expect(new Set(world.decisionsOf('replaced').map(({ layers }) => layers.join()))).toEqual(new Set(['1,1']));
  });

  it('--sub-path=recover: recovers the directory of a container that has ended, and its target path has been recovered before', async () => {
    await using world = await oneHealthyPod();
    const [container] = world.run(podNamed('pod-2', [{ subPath: 'sub' }]));
    crash(world);
    world.serve('demo');
    await world.clock.advance(20_000);
    world.kernel.processes.splice(world.kernel.processes.indexOf(container as never), 1);
    world.policy = { ...openPolicy, subPath: 'recover' };
    world.replaceEngine();
    world.engine.start();
    await world.clock.advance(20_000);
    const path = `${kubeletRoot}/pods/pod-2/volume-subpaths/demo/app/0`;
    expect(world.top(world.kernel.host, path)?.device).toBe(world.sourceOf('demo'));
  });

  it('recovers the containers of a pod that is being deleted until they end, and leaves its target path alone', async () => {
    await using world = await oneHealthyPod();
    world.pods[0] = podNamed('pod-1', [{}], { deleting: true });
    crash(world);
    world.serve('demo');
    await world.clock.advance(6_000);
    expect(world.broken()).toEqual([world.target('pod-1')]);
    expect(world.kernel.counts.replacements).toBe(1);
    expect(world.decisionsOf('recovered')).toMatchObject([{ site: { kind: 'container', podUid: 'pod-1' } }]);
    expect(world.decisionsOf('skipped')).toMatchObject([{ reason: 'pod-deleting', site: { kind: 'target' } }]);
  });

  it('reports a daemon that is down once in each outage', async () => {
    await using world = await oneHealthyPod();
    for (const outages of [1, 2, 3]) {
      crash(world);
      await world.clock.advance(60_000);
      const waiting = world.decisionsOf('skipped').filter(({ reason }) => reason === 'source-not-live');
      expect(waiting).toHaveLength(2 * outages);
      const dead = world.decisionsOf('noticed').filter(({ source }) => source.state === 'dead');
      expect(dead).toHaveLength(outages);
      world.serve('demo');
      await world.clock.settle();
    }
  });

  it('reports no waiting site if the daemon is back within half a second', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.advance(400);
    expect(world.decisionsOf('noticed').at(-1)).toMatchObject({ source: { state: 'dead' } });
    expect(world.decisionsOf('skipped')).toEqual([]);
    world.serve('demo');
    await world.clock.advance(10_000);
    expect(world.decisionsOf('skipped')).toEqual([]);
    crash(world);
    await world.clock.advance(600);
    expect(world.decisionsOf('skipped').map(({ reason }) => reason)).toEqual(['source-not-live', 'source-not-live']);
  });

  it('does nothing more at the resyncs after a recovery', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    await world.clock.advance(30_000);
    expect(world.decisionsOf('passed').filter(({ actions }) => actions > 0)).toHaveLength(1);
    expect(world.decisionsOf('recovered')).toHaveLength(2);
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

  it('skips a volume whose lock is held, and retries soon after it is released', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const lock = world.locks.tryAcquire('demo');
    world.serve('demo');
    await world.clock.settle();
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.decisionsOf('skipped').at(-1)?.reason).toBe('locked-volume');
    lock?.[Symbol.dispose]();
    await world.clock.advance(100);
    expect(world.broken()).toEqual([]);
    expect(world.locks.tryAcquire('demo')).toBeDefined();
  });
});
