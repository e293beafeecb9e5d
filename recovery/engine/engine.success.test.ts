import { describe, expect, it } from 'vitest';
import type { DeviceId } from './model.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import type { World } from './testing/world.ts';

/** Crashes the daemon and starts another one, which dies or hangs at the first replacement; returns its device. */
async function crashUnderReplacement(world: World, becomes: 'dead' | 'hung'): Promise<DeviceId> {
  crash(world);
  await world.clock.settle();
  const next = world.serve('demo');
  world.kernel.failWith((step) => {
    if (step === 'detach') world.kernel.setState(next, becomes);
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
    expect(world.decisionsOf('failed')).toMatchObject([
      { site: { kind: 'container' }, failure: { errno: 'EACCES', step: 'read-byte' } },
    ]);
    await world.clock.advance(30_000);
    expect(world.decisionsOf('failed')).toHaveLength(1);
    expect(world.decisionsOf('recovered')).toHaveLength(1);
  });

  it('is not claimed if the daemon dies again before the read', async () => {
    await using world = await oneHealthyPod();
    await crashUnderReplacement(world, 'dead');
    await world.clock.settle();
    expect(world.decisionsOf('recovered')).toEqual([]);
    expect(world.decisionsOf('failed').map(({ failure }) => failure.errno)).toEqual(['ENOTCONN', 'ENOTCONN']);
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
    world.kernel.failWith((step, { site }) =>
      step === 'attach-beneath' && site.kind === 'container' ? 'ENOSPC' : undefined,
    );
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

  it('is claimed later if the first read hangs and a later one succeeds', async () => {
    await using world = await oneHealthyPod();
    const next = await crashUnderReplacement(world, 'hung');
    await world.clock.advance(3_000);
    expect(world.decisionsOf('recovered')).toEqual([]);
    expect(world.decisionsOf('failed').map(({ failure }) => failure.errno)).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
    world.kernel.failWith(undefined);
    world.kernel.setState(next, 'live');
    await world.clock.advance(5_000);
    expect(world.decisionsOf('recovered')).toHaveLength(2);
  });

  it('is claimed no more than failure if the pod ends during the read', async () => {
    await using world = await oneHealthyPod();
    await crashUnderReplacement(world, 'hung');
    await world.clock.settle();
    world.kernel.processes.length = 0;
    world.kernel.detach(world.kernel.host, world.target('pod-1'));
    await world.clock.advance(3_000);
    expect(world.decisionsOf('failed')).toEqual([]);
    expect(world.decisionsOf('recovered')).toEqual([]);
  });
});
