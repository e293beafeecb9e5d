import { describe, expect, it } from 'vitest';
import type { DeviceId, Nanoseconds } from './model.ts';
import type { ReadRequest } from './ports.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import type { World } from './testing/world.ts';

/** Crashes the daemon and starts another one, which dies or hangs at the first replacement; returns its device. */
async function crashUnderReplacement(world: World, becomes: 'dead' | 'hung'): Promise<DeviceId> {
  crash(world);
  await world.clock.settle();
  const next = world.serve('demo');
  world.kernel.failWith((call) => {
    if (call === 'umount2') world.kernel.setState(next, becomes);
    return undefined;
  });
  return next;
}

describe('success', () => {
  it('is not claimed if the container cannot read as its user', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    world.kernel.deny(world.serve('demo'), 1000);
    await world.clock.settle();
    const recovered = world.decisionsOf('recovered').map(({ site }) => site.kind);
    expect(recovered).toEqual(['target']);
    expect(world.decisionsOf('unproven')).toMatchObject([
      { site: { kind: 'container' }, failure: { errno: 'EACCES', step: 'read-byte' } },
    ]);
    await world.clock.advance(30_000);
    expect(world.decisionsOf('unproven')).toHaveLength(1);
    expect(world.decisionsOf('failed')).toEqual([]);
    expect(world.decisionsOf('recovered')).toHaveLength(1);
  });

  it('is claimed later, although the container is seen through another of its processes by then', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    const device = world.serve('demo');
    world.kernel.deny(device, 1000);
    await world.clock.settle();
    const [main] = world.kernel.processes;
    if (main === undefined) throw new Error('the pod has no container');
    world.kernel.processes[0] = { ...main, pid: main.pid + 1 };
    world.kernel.admit(device, 1000);
    await world.clock.advance(30_000);
    expect(world.decisionsOf('recovered').map(({ site }) => site.kind)).toEqual(['target', 'container']);
  });

  it('is not claimed if the daemon dies again before the read', async () => {
    await using world = await oneHealthyPod();
    await crashUnderReplacement(world, 'dead');
    await world.clock.settle();
    expect(world.decisionsOf('recovered')).toEqual([]);
    expect(world.decisionsOf('unproven').map(({ failure }) => failure.errno)).toEqual(['ENOTCONN', 'ENOTCONN']);
    world.kernel.failWith(undefined);
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('recovered')).toHaveLength(2);
  });

  it('is not claimed if a mount call fails, which is reported once and retried by the resync', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    world.kernel.failWith((call, visited) => (call === 'move_mount' && visited === 'container' ? 'ENOSPC' : undefined));
    world.serve('demo');
    await world.clock.settle();
    const attempted = world.kernel.counts.replacements;
    await world.clock.advance(4_000);
    expect(world.kernel.counts.replacements).toBe(attempted);
    await world.clock.advance(11_000);
    expect(world.kernel.counts.replacements).toBe(attempted + 3);
    expect(world.decisionsOf('failed')).toHaveLength(1);
    expect(world.decisionsOf('recovered').map(({ site }) => site.kind)).toEqual(['target']);
    world.kernel.failWith(undefined);
    await world.clock.advance(5_000);
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('recovered').map(({ site }) => site.kind)).toEqual(['target', 'container']);
  });

  it('is not chased: a change of the mount table by an attempt starts no further attempt', async () => {
    await using world = await oneHealthyPod();
    const dead = crash(world);
    await world.clock.settle();
    let attempts = 0;
    world.kernel.replaceAll = (replacements) => {
      attempts += 1;
      // No timeout would end an endless loop of microtasks.
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

  it('is reported once as unproven while reads elsewhere hang, and claimed when it can be read', async () => {
    await using world = await oneHealthyPod();
    const { read } = world.kernel;
    const failure = { errno: 'EAGAIN', call: 'read', path: '/data', step: 'probers-hang' };
    world.kernel.read = async () => ({ ok: false, failure });
    crash(world);
    world.serve('demo');
    await world.clock.advance(600_000);
    expect(world.decisionsOf('unproven').map(({ site }) => site.kind)).toEqual(['container', 'target']);
    expect(world.decisionsOf('recovered')).toEqual([]);
    world.kernel.read = read;
    await world.clock.advance(10_000);
    expect(world.decisionsOf('recovered').map(({ site }) => site.kind)).toEqual(['container', 'target']);
  });

  it('is claimed later if the first read hangs and a later one succeeds', async () => {
    await using world = await oneHealthyPod();
    const next = await crashUnderReplacement(world, 'hung');
    await world.clock.advance(3_000);
    expect(world.decisionsOf('recovered')).toEqual([]);
    expect(world.decisionsOf('unproven').map(({ failure }) => failure.errno)).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
    world.kernel.failWith(undefined);
    world.kernel.setState(next, 'live');
    await world.clock.advance(8_000);
    expect(world.decisionsOf('recovered')).toHaveLength(2);
  });

  it('is claimed no more than failure if the pod ends during the read', async () => {
    await using world = await oneHealthyPod();
    await crashUnderReplacement(world, 'hung');
    await world.clock.settle();
    world.kernel.processes.length = 0;
    world.kernel.detach(world.kernel.host, world.target('pod-1'));
    await world.clock.advance(3_000);
    expect(world.decisionsOf('unproven')).toEqual([]);
    expect(world.decisionsOf('failed')).toEqual([]);
    expect(world.decisionsOf('recovered')).toEqual([]);
  });
});

describe('a mount that is not yet proven', () => {
  /** Records the reads of proofs, and holds their results back until a promise resolves. */
  function observeProofs(world: World, gate: Promise<void> = Promise.resolve()) {
    const { read } = world.kernel;
    const proofs: ReadRequest[] = [];
    world.kernel.read = async (request) => {
      proofs.push(request);
      const result = await read(request);
      await gate;
      return result;
    };
    return proofs;
  }

  it('is replaced at once and read once, however long its root takes to list', async () => {
    await using world = await oneHealthyPod({ abortHungAfter: 1n as Nanoseconds });
    const { promise: listed, resolve: list } = Promise.withResolvers<void>();
    const proofs = observeProofs(world, listed);
    crash(world);
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('unproven')).toEqual([]);
    const { replacements } = world.kernel.counts;
    await world.clock.advance(60_000);
    expect(world.decisionsOf('unproven').map(({ failure }) => failure.step)).toEqual(Array(2).fill('proof-continues'));
    expect(world.engine.unproven().map(({ failures }) => failures)).toEqual([[], []]);
    expect(world.engine.unhealthy()).toEqual([]);
    expect(proofs).toHaveLength(2);
    expect(world.decisionsOf('recovered')).toEqual([]);
    list();
    await world.clock.settle();
    expect(world.decisionsOf('recovered').map(({ took }) => took >= 60_000_000_000n)).toEqual([true, true]);
    expect(world.decisionsOf('unproven')).toHaveLength(2);
    expect(world.engine.unproven()).toEqual([]);
    expect([world.kernel.counts.replacements, world.kernel.aborted]).toEqual([replacements, []]);
  });

  it('is read less and less often, and no more once its proof has been given up', async () => {
    await using world = await oneHealthyPod();
    const proofs = observeProofs(world);
    crash(world);
    world.kernel.deny(world.serve('demo'), 1000);
    const counts: number[] = [];
    for (const seconds of [1, 10, 10, 20, 40, 80, 160, 320, 3600]) {
      await world.clock.advance(seconds * 1_000);
      counts.push(proofs.filter(({ site }) => site.kind === 'container').length);
    }
    expect(counts).toEqual([1, 2, 3, 4, 5, 6, 7, 7, 7]);
    expect(world.engine.unproven()).toMatchObject([{ diagnosis: { site: { kind: 'container' } }, dueAt: undefined }]);
    expect(world.decisionsOf('unproven')).toHaveLength(1);
    expect(world.broken()).toEqual([]);
  });

  it('is claimed as recovered when a later read succeeds, although the daemon hung in between', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    const next = world.serve('demo');
    world.kernel.deny(next, 1000);
    await world.clock.advance(3_000);
    world.kernel.setState(next, 'hung');
    await world.clock.advance(20_000);
    world.kernel.admit(next, 1000);
    world.kernel.setState(next, 'live');
    await world.clock.advance(30_000);
    expect(world.decisionsOf('recovered').map(({ site }) => site.kind)).toEqual(['target', 'container']);
    expect(world.engine.unproven()).toEqual([]);
  });

  it('is no success of a mount that has been replaced since', async () => {
    await using world = await oneHealthyPod();
    const { promise: listed, resolve: list } = Promise.withResolvers<void>();
    const proofs = observeProofs(world, listed);
    crash(world);
    world.serve('demo');
    await world.clock.advance(10);
    crash(world);
    await world.clock.advance(1_000);
    list();
    await world.clock.settle();
    expect(proofs).toHaveLength(2);
    expect(world.decisionsOf('recovered')).toEqual([]);
  });
});
