import { describe, expect, it } from 'vitest';
import type { DeviceId, Nanoseconds } from './model.ts';
import { oneHealthyPod } from './testing/healthy-pod.ts';
import type { World } from './testing/world.ts';

const second = 1_000_000_000n;

/** A pod whose daemon has gone, with its connection kept for 18 s. */
async function keptPod(): Promise<World & { readonly device: DeviceId }> {
  const kept = new Map<DeviceId, Nanoseconds>();
  const world = await oneHealthyPod({
    keptUntil: (device: DeviceId) => kept.get(device),
    abortHungAfter: (3n * second) as Nanoseconds,
  });
  const device = world.sourceOf('demo') as DeviceId;
  world.kernel.setState(device, 'hung');
  kept.set(device, (world.clock.now() + 18n * second) as Nanoseconds);
  return Object.assign(world, { device });
}

describe('a connection that a keeper holds', () => {
  it('is reported as kept, neither hung nor aborted, and nothing is touched', async () => {
    await using world = await keptPod();
    await world.clock.advance(15_000);
    expect(world.decisionsOf('noticed').at(-1)?.source.state).toBe('kept');
    expect(world.decisionsOf('skipped')).toEqual([]);
    expect(world.decisionsOf('replaced')).toEqual([]);
    expect(world.kernel.aborted).toEqual([]);
    expect(world.engine.unhealthy().map(({ diagnosis: { state } }) => state)).toEqual(['kept', 'kept']);
  });

  it('is live again without a replacement once a daemon has taken it over', async () => {
    await using world = await keptPod();
    await world.clock.advance(12_000);
    world.kernel.setState(world.device, 'live');
    await world.clock.advance(10_000);
    expect(world.decisionsOf('noticed').at(-1)?.source.state).toBe('live');
    expect(world.kernel.aborted).toEqual([]);
    expect(world.decisionsOf('replaced')).toEqual([]);
    expect(world.broken()).toEqual([]);
  });

  it('is left to ordinary recovery as soon as it answers that it is dead, although the file of the keeper is old', async () => {
    await using world = await keptPod();
    await world.clock.advance(8_000);
    world.kernel.crash(world.device);
    await world.clock.advance(1_000);
    expect(world.decisionsOf('noticed').at(-1)?.source.state).toBe('dead');
    world.serve('demo');
    await world.clock.advance(100);
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('recovered').length).toBeGreaterThan(0);
  });

  it('is looked at again at the deadline, without waiting for a resync', async () => {
    await using world = await keptPod();
    await world.clock.advance(17_900);
    world.kernel.setState(world.device, 'dead');
    await world.clock.advance(200);
    expect(world.decisionsOf('noticed').at(-1)?.source.state).toBe('dead');
  });

  it('is hung after the deadline if a daemon that does not answer holds it, too', async () => {
    await using world = await keptPod();
    await world.clock.advance(40_000);
    expect(world.kernel.aborted).toEqual([world.device]);
  });
});
