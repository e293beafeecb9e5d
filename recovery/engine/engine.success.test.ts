import { describe, expect, it } from 'vitest';
import type { DeviceId } from './model.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import type { World } from './testing/world.ts';

/** A crash, and a daemon that comes back but dies or hangs, too, with the first replacement; its device. */
async function crashUnderReplacement(world: World, becomes: 'dead' | 'hung'): Promise<DeviceId> {
  crash(world);
  await world.clock.settle();
  const next = world.serve('demo');
  world.kernel.failWith((step) => {
    if (step === 'detach') world.kernel.become(next, becomes);
    return undefined;
  });
  return next;
}

describe('success', () => {
  it('is not claimed when the container cannot read as its user', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    world.kernel.deny(world.serve('demo'), 1000);
    await world.clock.settle();
    const recovered = world.named('recovered').map(({ site }) => site.kind);
    expect(recovered).toEqual(['target']);
    expect(world.named('failed')).toMatchObject([
      { site: { kind: 'container' }, failure: { errno: 'EACCES', step: 'read-byte' } },
    ]);
    await world.clock.advance(30_000);
    expect(world.named('failed')).toHaveLength(1);
    expect(world.named('recovered')).toHaveLength(1);
  });

  it('is not claimed when the daemon dies again before the read', async () => {
    await using world = await oneHealthyPod();
    await crashUnderReplacement(world, 'dead');
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
    world.kernel.failWith((step, { site }) =>
      step === 'attach-beneath' && site.kind === 'container' ? 'ENOSPC' : undefined,
    );
    world.serve('demo');
    await world.clock.settle();
    const tried = world.kernel.counts.replacements;
    await world.clock.advance(4_000);
    expect(world.kernel.counts.replacements).toBe(tried);
    await world.clock.advance(11_000);
    expect(world.kernel.counts.replacements).toBe(tried + 3);
    expect(world.named('failed')).toHaveLength(1);
    expect(world.named('recovered').map(({ site }) => site.kind)).toEqual(['target']);
    world.kernel.failWith(undefined);
    await world.clock.advance(5_000);
    expect(world.broken()).toEqual([]);
    expect(world.named('recovered').map(({ site }) => site.kind)).toEqual(['target', 'container']);
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
    const next = await crashUnderReplacement(world, 'hung');
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
    await crashUnderReplacement(world, 'hung');
    await world.clock.settle();
    world.kernel.processes.length = 0;
    world.kernel.detach(world.kernel.host, world.target('pod-1'));
    await world.clock.advance(3_000);
    expect(world.named('failed')).toEqual([]);
    expect(world.named('recovered')).toEqual([]);
  });
});
