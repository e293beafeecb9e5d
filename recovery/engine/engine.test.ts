import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceId, Nanoseconds, Policy } from './model.ts';
import { placeKey } from './places.ts';
import { AgentDied } from './testing/modelled-kernel.ts';
import { createWorld, openPolicy, podNamed, sourcePath, volumeNamed, type World } from './testing/world.ts';

const second = 1_000_000_000n as Nanoseconds;

/** One volume, one labelled pod that reads it, an engine that is running and has nothing to do. */
async function oneHealthyPod(options = {}): Promise<World> {
  const world = createWorld(options);
  world.volumes.push(volumeNamed('demo'));
  world.serve('demo');
  world.run(podNamed('pod-1', [{}]));
  world.engine.start();
  await world.clock.settle();
  return world;
}

function crash(world: World, volume = 'demo'): DeviceId {
  const device = world.sourceOf(volume);
  if (device === undefined) throw new Error('nothing to crash');
  world.kernel.crash(device);
  return device;
}

describe('a crash and its recovery', () => {
  it('brings the target path and the container back and says so once the read has worked', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    expect(world.broken()).toHaveLength(2);
    expect(world.named('replaced')).toHaveLength(0);

    const live = world.serve('demo');
    await world.clock.settle();

    expect(world.broken()).toEqual([]);
    expect(world.named('recovered').map(({ place }) => place.kind)).toEqual(['container', 'target']);
    expect(world.named('failed')).toEqual([]);
    expect(world.kernel.processes[0]?.mounts.at(-1)?.device).toBe(live);
    expect(world.engine.unwell()).toEqual([]);
  });

  it('waits for a daemon that has mounted but not answered yet, and goes on the moment it answers', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    const starting = world.serve('demo', 'starting');
    await world.clock.advance(4_000);
    expect(world.named('replaced')).toEqual([]);
    expect(world.broken()).toHaveLength(2);

    world.kernel.become(starting, 'live');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
  });

  it('asks the source once and each place once between the new mount and the success', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const before = { ...world.kernel.counts };
    world.serve('demo');
    await world.clock.settle();
    expect(world.named('recovered')).toHaveLength(2);
    expect(world.kernel.counts.reads - before.reads).toBe(3);
  });

  it('reads nothing and scans nothing when the mount table changes elsewhere', async () => {
    await using world = await oneHealthyPod();
    const before = { ...world.kernel.counts };
    world.kernel.bind(world.kernel.host, '/mnt/usb', { device: '8:2' as DeviceId, fstype: 'ext4' });
    await world.clock.settle();
    expect(world.kernel.counts).toEqual({ ...before, tables: before.tables + 1 });
  });

  it('reads nothing during an outage however often the mount table changes', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const { reads } = world.kernel.counts;
    for (const name of ['a', 'b', 'c']) {
      world.kernel.bind(world.kernel.host, `/mnt/${name}`, { device: '8:2' as DeviceId, fstype: 'ext4' });
      await world.clock.settle();
    }
    expect(world.kernel.counts.reads).toBe(reads);
  });

  it('finds a container that was started meanwhile with the dead mount', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    // Made from what the target path shows, which is still dead; no scan has seen it.
    world.run(podNamed('pod-2', [{}]));
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.named('recovered')).toHaveLength(4);
  });

  it('converges after a start in the middle of an outage, without having seen the crash', async () => {
    await using world = createWorld();
    world.volumes.push(volumeNamed('demo'));
    world.serve('demo');
    world.run(podNamed('pod-1', [{}]));
    crash(world);
    world.serve('demo');
    world.engine.start();
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
  });

  it('carries over a mount below the place and keeps its parents in order', async () => {
    await using world = await oneHealthyPod();
    const mounts = world.kernel.processes[0]?.mounts ?? [];
    world.kernel.bind(mounts, '/data/cache', { device: '0:99' as DeviceId, fstype: 'tmpfs' });
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    expect(world.top(mounts, '/data/cache')?.device).toBe('0:99');
    expect(mounts.filter(({ mountPoint }) => mountPoint === '/data/cache')).toHaveLength(1);
  });

  it.each([true, false])('never shows a volume writable that was read-only, label or not (%s)', async (labelled) => {
    await using world = createWorld();
    world.policy = { ...openPolicy, readWriteScope: 'recover', pods: 'all' };
    world.volumes.push(volumeNamed('demo'), volumeNamed('writable', { accessModes: ['ReadWriteMany'] }));
    world.serve('demo');
    world.serve('writable');
    const mounts = [{}, { volume: 'writable', mountPath: '/w' }];
    const [container] = world.run(podNamed('pod-1', mounts, labelled ? {} : { labels: {} }));
    world.engine.start();
    await world.clock.settle();
    crash(world);
    crash(world, 'writable');
    world.serve('demo');
    world.serve('writable');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    const options = (path: string) => world.top(container?.mounts ?? [], path)?.options[0];
    expect([options('/data'), options('/w')]).toEqual(['ro', 'rw']);
    expect(world.top(world.kernel.host, world.target('pod-1'))?.options[0]).toBe('ro');
  });

  it('makes a read-only volume read-only where somebody had published it writable', async () => {
    await using world = await oneHealthyPod();
    const dead = world.sourceOf('demo') as DeviceId;
    world.kernel.bind(world.kernel.host, world.target('pod-1'), { device: dead, options: ['rw'] });
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.top(world.kernel.host, world.target('pod-1'))?.options[0]).toBe('ro');
  });

  it('keeps a mount read-only that only the container had read-only', async () => {
    await using world = createWorld();
    world.policy = { ...openPolicy, readWriteScope: 'recover' };
    world.volumes.push(volumeNamed('demo', { accessModes: ['ReadWriteMany'] }));
    world.serve('demo');
    const [container] = world.run(podNamed('pod-1', [{ readOnly: true }]));
    world.engine.start();
    await world.clock.settle();
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    expect(world.top(container?.mounts ?? [], '/data')?.options[0]).toBe('ro');
    expect(world.top(world.kernel.host, world.target('pod-1'))?.options[0]).toBe('rw');
  });

  it('reads in a container that propagation has healed under its hand, instead of calling it failed', async () => {
    await using world = await oneHealthyPod();
    const inside = world.kernel.processes[0]?.mounts ?? [];
    world.kernel.propagate(world.target('pod-1'), inside, '/data');
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    expect(world.named('failed')).toEqual([]);
    expect(world.named('recovered').map(({ place }) => place.kind)).toEqual(['container', 'target']);
  });

  it('tells of the crash before it looks into containers, and of those it looks at none when the daemon is back', async () => {
    await using world = await oneHealthyPod();
    const { kernel } = world;
    const told: number[] = [];
    const containers = kernel.containers;
    kernel.containers = (fresh) => {
      told.push(world.named('noticed').filter(({ source }) => source.state === 'dead').length);
      return containers(fresh);
    };
    crash(world);
    await world.clock.settle();
    expect(told).toEqual([1]);
    await world.clock.advance(3_000);
    const scans = kernel.counts.scans;
    let scansWhenReplaced: number | undefined;
    kernel.failWith(() => {
      scansWhenReplaced ??= kernel.counts.scans;
      return undefined;
    });
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(scansWhenReplaced).toBe(scans);
  });

  it('knows a container that started late by the time that a daemon, which unmounted before it ended, is back', async () => {
    await using world = await oneHealthyPod();
    world.run(podNamed('pod-2', [{}]));
    const device = world.sourceOf('demo') as DeviceId;
    world.kernel.detach(world.kernel.host, sourcePath('demo'));
    await world.clock.settle();
    world.kernel.crash(device);
    await world.clock.settle();
    const scans = world.kernel.counts.freshScans;
    world.serve('demo');
    let whenReplaced: number | undefined;
    world.kernel.failWith(() => {
      whenReplaced ??= world.kernel.counts.freshScans;
      return undefined;
    });
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.named('recovered').map(({ place }) => place.kind)).toEqual([
      'container',
      'container',
      'target',
      'target',
    ]);
    expect(whenReplaced).toBe(scans);
  });

  it('recovers a container whose mounts have changed since they were looked at', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const dead = world.sourceOf('demo') as DeviceId;
    const inside = world.kernel.processes[0]?.mounts ?? [];
    world.kernel.bind(inside, '/data', { device: dead });
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.named('failed')).toEqual([]);
    expect(world.named('recovered').map(({ place }) => place.kind)).toEqual(['container', 'target']);
  });

  it('starts no pass and mounts nothing after it was disposed of', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    const starting = world.serve('demo', 'starting');
    await world.clock.settle();
    await world.engine[Symbol.asyncDispose]();
    world.kernel.become(starting, 'live');
    await world.clock.advance(20_000);
    expect(world.kernel.counts.replacements).toBe(0);
  });

  it('says that it is blind where the mount table cannot be read, and goes on when it can', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const { hostMounts } = world.kernel;
    const failure = { errno: 'EMFILE', call: 'read', path: '/proc/1/mountinfo', step: 'read-table' };
    world.kernel.hostMounts = () => ({ ok: false, failure });
    world.serve('demo');
    await world.clock.settle();
    expect(world.named('passed').at(-1)).toMatchObject({ failure });
    world.kernel.hostMounts = hostMounts;
    await world.clock.advance(5_000);
    expect(world.broken()).toEqual([]);
  });

  it('is as quiet as can be at rest: one read of each source at each resync, and a scan each minute', async () => {
    await using world = await oneHealthyPod();
    const before = { ...world.kernel.counts };
    await world.clock.advance(300_000);
    expect(world.kernel.counts.reads - before.reads).toBe(60);
    expect(world.kernel.counts.scans - before.scans).toBe(5);
    expect(world.decisions.filter(({ event }) => event !== 'passed' && event !== 'noticed')).toEqual([]);
  });

  it('heals a volume that is mounted twice in a container, and leaves a read-write neighbour alone', async () => {
    await using world = createWorld();
    world.volumes.push(volumeNamed('demo'), volumeNamed('scratch', { accessModes: ['ReadWriteMany'] }));
    world.serve('demo');
    world.serve('scratch');
    const [container] = world.run(
      podNamed('pod-1', [{}, { mountPath: '/again/' }, { volume: 'scratch', mountPath: '/scratch' }]),
    );
    world.engine.start();
    await world.clock.settle();
    crash(world);
    crash(world, 'scratch');
    world.serve('demo');
    world.serve('scratch');
    await world.clock.settle();
    expect(world.top(container?.mounts ?? [], '/data')?.device).toBe(world.sourceOf('demo'));
    expect(world.broken()).toEqual([world.target('pod-1', 'scratch'), '/scratch']);
    expect(new Set(world.named('skipped').map(({ reason }) => reason))).toContain('read-write');
  });

  it('leaves a mount alone that still answers from a daemon that is no longer the source', async () => {
    await using world = await oneHealthyPod();
    world.serve('demo');
    await world.clock.advance(6_000);
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.named('skipped')).toEqual([]);
  });
});

describe('success', () => {
  it('is not claimed when the container cannot read as its user', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    world.kernel.deny(world.serve('demo'), 1000);
    await world.clock.settle();
    const recovered = world.named('recovered').map(({ place }) => place.kind);
    expect(recovered).toEqual(['target']);
    expect(world.named('failed')).toMatchObject([
      { place: { kind: 'container' }, failure: { errno: 'EACCES', step: 'read-byte' } },
    ]);
    await world.clock.advance(30_000);
    expect(world.named('failed')).toHaveLength(1);
    expect(world.named('recovered')).toHaveLength(1);
  });

  it('is not claimed when the daemon dies again before the read', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const next = world.serve('demo');
    // Dies with the first replacement.
    world.kernel.failWith((step) => {
      if (step === 'detach') world.kernel.become(next, 'dead');
      return undefined;
    });
    await world.clock.settle();
    expect(world.named('recovered')).toEqual([]);
    expect(world.named('failed').map(({ failure }) => failure.errno)).toEqual(['ENOTCONN', 'ENOTCONN']);
    world.kernel.failWith(undefined);
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.named('recovered')).toHaveLength(2);
  });

  it('is not claimed when a mount call fails, which is told once and tried again at the resync', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    world.kernel.failWith((step, { place }) =>
      step === 'attach-beneath' && place.kind === 'container' ? 'ENOSPC' : undefined,
    );
    world.serve('demo');
    await world.clock.settle();
    const tried = world.kernel.counts.replacements;
    await world.clock.advance(4_000);
    expect(world.kernel.counts.replacements).toBe(tried);
    await world.clock.advance(11_000);
    expect(world.kernel.counts.replacements).toBe(tried + 3);
    expect(world.named('failed')).toHaveLength(1);
    expect(world.named('recovered').map(({ place }) => place.kind)).toEqual(['target']);
    world.kernel.failWith(undefined);
    await world.clock.advance(5_000);
    expect(world.broken()).toEqual([]);
    expect(world.named('recovered').map(({ place }) => place.kind)).toEqual(['target', 'container']);
  });

  it('is not chased: what each attempt changes in the mount table starts no other attempt', async () => {
    await using world = await oneHealthyPod();
    const dead = crash(world);
    await world.clock.settle();
    let attempts = 0;
    world.kernel.replaceAll = (replacements) => {
      attempts += 1;
      // Would otherwise go on for ever, and no time limit ends a loop of microtasks.
      if (attempts > 20) return [];
      world.kernel.bind(world.kernel.host, world.target('pod-1'), { device: dead });
      const failure = { errno: 'EPERM', call: 'umount2', path: '/data', step: 'detach' };
      return replacements.map(() => ({ ok: false, failure }));
    };
    world.serve('demo');
    for (let turn = 0; turn < 10; turn += 1) await world.clock.settle();
    expect(attempts).toBe(1);
    await world.clock.advance(5_000);
    expect(attempts).toBe(2);
  });

  it('is claimed later where the first read hung and a later one works', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const next = world.serve('demo');
    world.kernel.failWith((step) => {
      if (step === 'detach') world.kernel.become(next, 'hung');
      return undefined;
    });
    await world.clock.advance(3_000);
    expect(world.named('recovered')).toEqual([]);
    expect(world.named('failed').map(({ failure }) => failure.errno)).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
    world.kernel.failWith(undefined);
    world.kernel.become(next, 'live');
    await world.clock.advance(5_000);
    expect(world.named('recovered')).toHaveLength(2);
  });

  it('nor failure is claimed of a pod that went away during the read', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const next = world.serve('demo');
    world.kernel.failWith((step) => {
      if (step === 'detach') world.kernel.become(next, 'hung');
      return undefined;
    });
    await world.clock.settle();
    world.kernel.processes.length = 0;
    world.kernel.detach(world.kernel.host, world.target('pod-1'));
    await world.clock.advance(3_000);
    expect(world.named('failed')).toEqual([]);
    expect(world.named('recovered')).toEqual([]);
  });
});

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
    expect(world.named('skipped')).toMatchObject([{ reason, place: { kind: 'container', podUid: 'pod-2' } }]);
    expect(world.engine.unwell()).toMatchObject([{ reason, diagnosis: { place: { podUid: 'pod-2' } } }]);
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

describe('what the kernel cannot do', () => {
  it.each([
    ['idmap', 'EINVAL', 'idmap-unsupported'],
    ['inner-mounts', 'EAGAIN', 'inner-mount-unreachable'],
    ['clone-source', 'ENOENT', 'subdirectory-missing'],
  ])('at %s is refused with a reason, not called a failure', async (step, errno, reason) => {
    await using world = await oneHealthyPod();
    world.volumes[0] = volumeNamed('demo', { subdirectory: 'team' });
    crash(world);
    const failure = { errno, call: 'open_tree', path: '/data', step };
    world.kernel.replaceAll = (replacements) => replacements.map(() => ({ ok: false, failure }));
    world.serve('demo');
    await world.clock.advance(20_000);
    expect(world.named('skipped').map((each) => each.reason)).toEqual([reason, reason]);
    expect(world.named('failed')).toEqual([]);
    expect(world.engine.unwell().map((each) => each.reason)).toEqual([reason, reason]);
  });
});

describe('a daemon that hangs', () => {
  it('delays no other volume, in whatever order they crash', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom<string>('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (hanging, restarted) => {
          await using world = createWorld();
          const names = ['a', 'b', 'c', 'd'];
          for (const name of names) {
            world.volumes.push(volumeNamed(name));
            world.serve(name);
            world.run(podNamed(`pod-${name}`, [{ volume: name }]));
          }
          world.engine.start();
          await world.clock.settle();
          const began = world.clock.now();
          for (const name of names) {
            const device = world.sourceOf(name);
            if (device === undefined) continue;
            if (!hanging.includes(name)) world.kernel.crash(device);
            else if (!restarted) world.kernel.become(device, 'hung');
            else world.kernel.crash(device);
          }
          for (const name of names) {
            if (!hanging.includes(name)) world.serve(name);
            else if (restarted) world.serve(name, 'starting');
          }
          void world.engine.pass('resync');
          await world.clock.settle();
          const back = new Set(world.named('recovered').map(({ volume }) => volume.name));
          expect([...back].sort()).toEqual(names.filter((name) => !hanging.includes(name)));
          expect(world.clock.now()).toBe(began);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is noticed by the resync, left alone, and recovered from when it is restarted', async () => {
    await using world = await oneHealthyPod();
    const device = world.sourceOf('demo') as DeviceId;
    world.kernel.become(device, 'hung');
    await world.clock.advance(30_000);
    expect(world.named('noticed').at(-1)?.source.state).toBe('hung');
    expect(world.named('skipped').map(({ reason }) => reason)).toEqual(['hung', 'hung']);
    expect(world.kernel.aborted).toEqual([]);
    world.kernel.crash(device);
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
  });

  it('is overtaken by a new daemon at the same source, though a read of the old one is still out', async () => {
    await using world = await oneHealthyPod();
    world.kernel.become(world.sourceOf('demo') as DeviceId, 'hung');
    await world.clock.advance(5_500);
    world.serve('demo');
    await world.clock.advance(2_100);
    expect(world.broken()).toEqual([]);
  });

  it('is overtaken by a new daemon though it never answered at all', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    world.serve('demo', 'starting');
    await world.clock.advance(1_000);
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
  });

  it('has its connection aborted after the time that the user allows, and not before', async () => {
    await using world = await oneHealthyPod({ abortHungAfter: (10n * second) as Nanoseconds });
    const device = world.sourceOf('demo') as DeviceId;
    world.kernel.become(device, 'hung');
    // Asked by the resync after 5 s; hung for 10 s after 15.
    await world.clock.advance(14_900);
    expect(world.kernel.aborted).toEqual([]);
    await world.clock.advance(300);
    expect(world.kernel.aborted).toEqual([device]);
    expect(world.named('noticed').filter(({ aborted }) => aborted)).toHaveLength(1);
  });
});

describe('several sources', () => {
  it('a place on any live one is well, and a place on a dead one is moved to the first that lives', async () => {
    await using world = createWorld();
    const spare = '/runtime-mnt/jindo/default/demo/spare';
    world.volumes.push(volumeNamed('demo', { sources: [sourcePath('demo'), spare] }));
    world.serve('demo');
    world.run(podNamed('pod-1', [{}]));
    const standby = world.kernel.mountFuse(world.kernel.host, spare);
    world.engine.start();
    await world.clock.settle();
    expect(world.kernel.counts.replacements).toBe(0);
    crash(world);
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.top(world.kernel.host, world.target('pod-1'))?.device).toBe(standby);
    world.serve('demo');
    await world.clock.advance(10_000);
    expect(world.top(world.kernel.host, world.target('pod-1'))?.device).toBe(standby);
  });
});

it('one live source of several is enough, though another has not answered yet', async () => {
  await using world = createWorld();
  const spare = '/runtime-mnt/jindo/default/demo/spare';
  world.volumes.push(volumeNamed('demo', { sources: [spare, sourcePath('demo')] }));
  world.kernel.mountFuse(world.kernel.host, spare, 'starting');
  const first = world.kernel.mountFuse(world.kernel.host, sourcePath('demo'));
  const [container] = world.run(podNamed('pod-1', []));
  expect(container?.mounts).toHaveLength(1);
  world.kernel.bind(world.kernel.host, world.target('pod-1'), { device: first });
  world.kernel.crash(first);
  world.kernel.mountFuse(world.kernel.host, sourcePath('demo'));
  world.engine.start();
  await world.clock.settle();
  expect(world.named('recovered').map(({ place }) => place.path)).toEqual([world.target('pod-1')]);
});

describe('any history', () => {
  it('a thousand crashes leave the tables as long as they were', async () => {
    await using world = await oneHealthyPod();
    const lines = () => world.kernel.host.length + (world.kernel.processes[0]?.mounts.length ?? 0);
    const before = lines();
    for (let count = 0; count < 1_000; count += 1) {
      crash(world);
      // The daemon cleans up after its predecessor; otherwise the source itself would grow.
      world.kernel.detach(world.kernel.host, sourcePath('demo'));
      world.serve('demo');
      await world.clock.settle();
    }
    expect(lines()).toBe(before);
    expect(world.broken()).toEqual([]);
    expect(world.named('recovered')).toHaveLength(2_000);
  });

  /** What a place can look like: each layer a dead mount or, below the top, a live one. */
  const layers = fc.array(fc.constantFrom('dead' as const, 'live' as const), { minLength: 0, maxLength: 4 });

  it('any stack of dead, half-done and stacked mounts becomes readable and no deeper, wherever the agent dies', async () => {
    await fc.assert(
      fc.asyncProperty(
        layers,
        layers,
        fc.array(fc.nat({ max: 5 }), { maxLength: 4 }),
        async (onNode, inContainer, deaths) => {
          await using world = createWorld();
          world.volumes.push(volumeNamed('demo'));
          world.serve('demo');
          const [container] = world.run(podNamed('pod-1', [{}]));
          crash(world);
          const live = world.serve('demo');
          const corpse = world.kernel.mountFuse(world.kernel.host, '/elsewhere');
          world.kernel.crash(corpse);
          const inside = container?.mounts ?? [];
          for (const [table, path, found] of [
            [world.kernel.host, world.target('pod-1'), onNode],
            [inside, '/data', inContainer],
          ] as const) {
            for (const layer of found) world.kernel.bind(table, path, { device: layer === 'dead' ? corpse : live });
          }
          const depth = () =>
            [world.kernel.host, inside].map(
              (table) =>
                table.filter(({ mountPoint }) => mountPoint === world.target('pod-1') || mountPoint === '/data').length,
            );
          const before = depth();
          for (const calls of deaths) {
            world.kernel.dieBefore(calls);
            await world.engine.pass('start').catch((error) => expect(error).toBeInstanceOf(AgentDied));
            world.reborn();
          }
          world.kernel.dieBefore(undefined);
          // A lock dies with its agent; here it is let go of by the scope that was left.
          await world.engine.pass('start');
          await world.engine.idle();
          expect(world.broken()).toEqual([]);
          for (const [at, now] of depth().entries()) expect(now).toBeLessThanOrEqual(before[at] ?? 0);
        },
      ),
      { numRuns: 200 },
    );
  });

  const happening = fc.oneof(
    fc.constantFrom('crash', 'serve', 'slow', 'detach', 'run', 'die', 'tick', 'resync' as const),
    fc.constantFrom('crash', 'serve' as const),
  );

  it('no success is claimed without a good read of the live source, and at rest every labelled pod reads', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 25 }), async (story) => {
        const proofs: string[] = [];
        await using world = createWorld();
        const { kernel } = world;
        const read = kernel.read;
        kernel.read = async (request) => {
          const result = await read(request);
          if (result.ok && result.value === world.sourceOf('demo') && request.place.kind !== 'source') {
            proofs.push(placeKey(request.place));
          }
          return result;
        };
        world.volumes.push(volumeNamed('demo'));
        let starting: DeviceId | undefined;
        world.serve('demo');
        world.run(podNamed('pod-0', [{}]));
        world.engine.start();
        for (const [at, event] of story.entries()) {
          const source = world.sourceOf('demo');
          const isUp = source !== undefined && kernel.stateOf(source) === 'live';
          if (event === 'crash' && source !== undefined) kernel.crash(source);
          if (event === 'serve' && !isUp) world.serve('demo');
          if (event === 'slow' && !isUp) starting = world.serve('demo', 'starting');
          if (event === 'detach' && !isUp && source !== undefined) kernel.detach(kernel.host, sourcePath('demo'));
          if (event === 'run' && source !== undefined) world.run(podNamed(`pod-${at + 1}`, [{}]));
          if (event === 'die') {
            world.reborn();
            world.engine.start();
          }
          if (event === 'tick') await world.clock.settle();
          if (event === 'resync') await world.clock.advance(5_000);
        }
        if (starting !== undefined && kernel.stateOf(starting) === 'starting') kernel.become(starting, 'live');
        const last = world.sourceOf('demo');
        if (last === undefined || kernel.stateOf(last) !== 'live') world.serve('demo');
        await world.clock.advance(75_000);

        expect(world.broken()).toEqual([]);
        const claimed = world.named('recovered').map(({ place }) => placeKey(place));
        for (const key of new Set(claimed)) {
          const proven = proofs.filter((proof) => proof === key).length;
          expect(claimed.filter((claim) => claim === key).length).toBeLessThanOrEqual(proven);
        }
      }),
      { numRuns: 100 },
    );
  });
});
