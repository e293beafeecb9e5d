import { describe, expect, it } from 'vitest';
import type { DeviceId } from './model.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import { createWorld, openPolicy, podNamed, sourcePath, volumeNamed } from './testing/world.ts';

describe('a crash and its recovery', () => {
  it('recovers the target path and the container, and reports it once a read has succeeded', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    expect(world.broken()).toHaveLength(2);
    expect(world.decisionsOf('replaced')).toHaveLength(0);

    const live = world.serve('demo');
    await world.clock.settle();

    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('recovered').map(({ site }) => site.kind)).toEqual(['container', 'target']);
    expect(world.decisionsOf('failed')).toEqual([]);
    expect(world.kernel.processes[0]?.mounts.at(-1)?.device).toBe(live);
    expect(world.engine.unhealthy()).toEqual([]);
  });

  it('waits for a daemon that has mounted but not answered, and proceeds as soon as it answers', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    const starting = world.serve('demo', 'starting');
    await world.clock.advance(4_000);
    expect(world.decisionsOf('replaced')).toEqual([]);
    expect(world.broken()).toHaveLength(2);

    world.kernel.setState(starting, 'live');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
  });

  it('asks the source once and reads each site once between the new mount and the success', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const before = { ...world.kernel.counts };
    world.serve('demo');
    await world.clock.settle();
    expect(world.decisionsOf('recovered')).toHaveLength(2);
    expect(world.kernel.counts.questions - before.questions).toBe(1);
    expect(world.kernel.counts.reads - before.reads).toBe(2);
  });

  it('lets the pods read before it proves that they can', async () => {
    await using world = await oneHealthyPod({ proofDelay: 4_000_000n });
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    const { reads } = world.kernel.counts;
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('recovered')).toEqual([]);
    await world.clock.advance(5);
    expect(world.kernel.counts.reads - reads).toBe(2);
    expect(world.decisionsOf('recovered')).toHaveLength(2);
  });

  it('examines its own changes of the mount table only once the pods have read', async () => {
    await using world = await oneHealthyPod({ proofDelay: 4_000_000n });
    crash(world);
    await world.clock.settle();
    const before = world.kernel.counts.tables;
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    // One read notices the daemon's mount, and one is acted upon.
    expect(world.kernel.counts.tables - before).toBe(2);
    await world.clock.advance(5);
    expect(world.kernel.counts.tables - before).toBeGreaterThan(2);
  });

  it('does not make other volumes wait for the pods to read', async () => {
    await using world = await oneHealthyPod({ proofDelay: 4_000_000n });
    world.volumes.push(volumeNamed('other'));
    world.serve('other');
    world.run(podNamed('pod-2', [{ volume: 'other' }]));
    await world.clock.advance(5_000);
    crash(world);
    crash(world, 'other');
    await world.clock.settle();
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toHaveLength(2);
    world.serve('other');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
  });

  it('neither reads nor scans when an unrelated mount appears', async () => {
    await using world = await oneHealthyPod();
    const before = { ...world.kernel.counts };
    world.kernel.bind(world.kernel.host, '/mnt/usb', { device: '8:2' as DeviceId, fstype: 'ext4' });
    await world.clock.settle();
    expect(world.kernel.counts).toEqual({ ...before, tables: before.tables + 1 });
  });

  it('asks and reads nothing during an outage, however often the mount table changes', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const { questions, reads } = world.kernel.counts;
    for (const name of ['a', 'b', 'c']) {
      world.kernel.bind(world.kernel.host, `/mnt/${name}`, { device: '8:2' as DeviceId, fstype: 'ext4' });
      await world.clock.settle();
    }
    expect(world.kernel.counts).toMatchObject({ questions, reads });
  });

  it('finds a container that was started with the dead mount', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    // It gets the target path's mount, which is still dead, and no scan has found it.
    world.run(podNamed('pod-2', [{}]));
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('recovered')).toHaveLength(4);
  });

  it('recovers if it is started during an outage and has not seen the crash', async () => {
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

  it('carries over a mount below the site with the right parent', async () => {
    await using world = await oneHealthyPod();
    const mounts = world.kernel.processes[0]?.mounts ?? [];
    world.kernel.bind(mounts, '/data/cache', { device: '0:99' as DeviceId, fstype: 'tmpfs' });
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.top(mounts, '/data/cache')?.device).toBe('0:99');
    expect(mounts.filter(({ mountPoint }) => mountPoint === '/data/cache')).toHaveLength(1);
  });

  it.each([true, false])('never makes a read-only volume writable, labelled or not (%s)', async (labelled) => {
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

  it('makes a read-only volume read-only although it was published writable', async () => {
    await using world = await oneHealthyPod();
    const dead = world.sourceOf('demo') as DeviceId;
    world.kernel.bind(world.kernel.host, world.target('pod-1'), { device: dead, options: ['rw'] });
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.top(world.kernel.host, world.target('pod-1'))?.options[0]).toBe('ro');
  });

  it('keeps a mount read-only that is so only in the container', async () => {
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

  it('proves rather than fails a container that mount propagation has recovered meanwhile', async () => {
    // This kernel stacks mounts.
    await using world = createWorld({}, '5.10');
    world.volumes.push(volumeNamed('demo'));
    world.serve('demo');
    world.run(podNamed('pod-1', [{}]), { propagation: 'slave' });
    world.engine.start();
    await world.clock.settle();
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    expect(world.decisionsOf('failed')).toEqual([]);
    expect(world.decisionsOf('recovered').map(({ site }) => site.kind)).toEqual(['container', 'target']);
  });

  it('reports the crash before it scans containers, and scans none when the daemon is back', async () => {
    await using world = await oneHealthyPod();
    const { kernel } = world;
    const reported: number[] = [];
    const containers = kernel.containers;
    kernel.containers = (scope) => {
      reported.push(world.decisionsOf('noticed').filter(({ source }) => source.state === 'dead').length);
      return containers(scope);
    };
    crash(world);
    await world.clock.settle();
    expect(reported).toEqual([1]);
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

  it('knows a container that started late by the time a daemon that unmounted before it exited is back', async () => {
    await using world = await oneHealthyPod();
    await world.clock.advance(1_000);
    world.run(podNamed('pod-2', [{}]));
    const device = world.sourceOf('demo') as DeviceId;
    world.kernel.detach(world.kernel.host, sourcePath('demo'));
    await world.clock.settle();
    world.kernel.crash(device);
    await world.clock.settle();
    const scans = world.kernel.counts.allScans;
    world.serve('demo');
    let whenReplaced: number | undefined;
    world.kernel.failWith(() => {
      whenReplaced ??= world.kernel.counts.allScans;
      return undefined;
    });
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('recovered').map(({ site }) => site.kind)).toEqual([
      'container',
      'container',
      'target',
      'target',
    ]);
    expect(whenReplaced).toBe(scans);
  });

  it('recovers a container whose mounts have changed since the last scan', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const dead = world.sourceOf('demo') as DeviceId;
    const inside = world.kernel.processes[0]?.mounts ?? [];
    world.kernel.bind(inside, '/data', { device: dead });
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('failed')).toEqual([]);
    expect(world.decisionsOf('recovered').map(({ site }) => site.kind)).toEqual(['container', 'target']);
  });

  it('starts no pass and mounts nothing after its disposal', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    const starting = world.serve('demo', 'starting');
    await world.clock.settle();
    await world.engine[Symbol.asyncDispose]();
    world.kernel.setState(starting, 'live');
    await world.clock.advance(20_000);
    expect(world.kernel.counts.replacements).toBe(0);
  });

  it('reports that the mount table cannot be read, and continues once it can', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const { hostMounts } = world.kernel;
    const failure = { errno: 'EMFILE', call: 'read', path: '/proc/1/mountinfo', step: 'read-table' };
    world.kernel.hostMounts = () => ({ ok: false, failure });
    world.serve('demo');
    await world.clock.settle();
    expect(world.decisionsOf('passed').at(-1)).toMatchObject({ failure });
    world.kernel.hostMounts = hostMounts;
    await world.clock.advance(5_000);
    expect(world.broken()).toEqual([]);
  });

  it('at rest asks each source once a resync and scans once a minute', async () => {
    await using world = await oneHealthyPod();
    const before = { ...world.kernel.counts };
    await world.clock.advance(300_000);
    expect(world.kernel.counts.questions - before.questions).toBe(60);
    expect(world.kernel.counts.reads).toBe(before.reads);
    expect(world.kernel.counts.scans - before.scans).toBe(5);
    expect(world.decisions.filter(({ event }) => event !== 'passed' && event !== 'noticed')).toEqual([]);
  });

  it('recovers a container with a dead mount that a pass of another volume has found', async () => {
    await using world = await oneHealthyPod();
    world.volumes.push(volumeNamed('other'));
    world.serve('other');
    crash(world);
    const [container] = world.kernel.processes;
    if (container === undefined) throw new Error('the pod has no container');
    const late = world.kernel.fork(container, { pid: 4000, startTime: '4000' });
    world.serve('demo');
    await world.clock.advance(65_000);
    world.kernel.processes.push(late);
    crash(world, 'other');
    await world.clock.settle();
    world.serve('other');
    expect(world.broken()).toEqual(['/data']);
    await world.clock.advance(5_000);
    expect(world.broken()).toEqual([]);
  });

  it('recovers a volume that is mounted twice in a container, and leaves a read-write one alone', async () => {
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
    expect(new Set(world.decisionsOf('skipped').map(({ reason }) => reason))).toContain('read-write');
  });

  it('leaves a mount alone whose earlier daemon still answers', async () => {
    await using world = await oneHealthyPod();
    world.serve('demo');
    await world.clock.advance(6_000);
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.decisionsOf('skipped')).toEqual([]);
  });
});

describe('a replacement that the kernel does not support', () => {
  it.each([
    ['idmap', 'EINVAL', 'idmap-unsupported'],
    ['inner-mounts', 'EAGAIN', 'inner-mount-unreachable'],
    ['clone-source', 'ENOENT', 'subdirectory-missing'],
  ])('is skipped with a reason rather than failed, at step %s', async (step, errno, reason) => {
    await using world = await oneHealthyPod();
    world.volumes[0] = volumeNamed('demo', { subdirectory: 'team' });
    crash(world);
    const failure = { errno, call: 'open_tree', path: '/data', step };
    world.kernel.replaceAll = (replacements) => replacements.map(() => ({ ok: false, failure }));
    world.serve('demo');
    await world.clock.advance(20_000);
    expect(world.decisionsOf('skipped').map((each) => each.reason)).toEqual([reason, reason]);
    expect(world.decisionsOf('failed')).toEqual([]);
    expect(world.engine.unhealthy().map((each) => each.reason)).toEqual([reason, reason]);
  });
});
