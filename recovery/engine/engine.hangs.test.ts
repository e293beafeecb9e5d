import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceId, Nanoseconds } from './model.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import { createWorld, podNamed, sourcePath, volumeNamed } from './testing/world.ts';

const second = 1_000_000_000n as Nanoseconds;

describe('a daemon that hangs', () => {
  it('delays no other volume, whatever the order of crashes', async () => {
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
            else if (!restarted) world.kernel.setState(device, 'hung');
            else world.kernel.crash(device);
          }
          for (const name of names) {
            if (!hanging.includes(name)) world.serve(name);
            else if (restarted) world.serve(name, 'starting');
          }
          void world.engine.pass('resync');
          await world.clock.settle();
          const back = new Set(world.decisionsOf('recovered').map(({ volume }) => volume.name));
          expect([...back].sort()).toEqual(names.filter((name) => !hanging.includes(name)));
          expect(world.clock.now()).toBe(began);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is noticed by the resync, left alone, and recovered once it is restarted', async () => {
    await using world = await oneHealthyPod();
    const device = world.sourceOf('demo') as DeviceId;
    world.kernel.setState(device, 'hung');
    await world.clock.advance(30_000);
    expect(world.decisionsOf('noticed').at(-1)?.source.state).toBe('hung');
    expect(world.decisionsOf('skipped').map(({ reason }) => reason)).toEqual(['hung', 'hung']);
    expect(world.kernel.aborted).toEqual([]);
    world.kernel.crash(device);
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
  });

  it('is superseded by a new daemon at the same source, although a read of the old one is in progress', async () => {
    await using world = await oneHealthyPod();
    world.kernel.setState(world.sourceOf('demo') as DeviceId, 'hung');
    await world.clock.advance(5_500);
    world.serve('demo');
    await world.clock.advance(2_100);
    expect(world.broken()).toEqual([]);
  });

  it('is superseded by a new daemon although it has never answered', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    world.serve('demo', 'starting');
    await world.clock.advance(1_000);
    world.serve('demo');
    await world.clock.settle();
    expect(world.broken()).toEqual([]);
  });

  it('has its connection aborted after the allowed time and not before', async () => {
    await using world = await oneHealthyPod({ abortHungAfter: (10n * second) as Nanoseconds });
    const device = world.sourceOf('demo') as DeviceId;
    world.kernel.setState(device, 'hung');
    // The resync asks it after 5 s, so it has hung for 10 s after 15 s.
    await world.clock.advance(14_900);
    expect(world.kernel.aborted).toEqual([]);
    await world.clock.advance(300);
    expect(world.kernel.aborted).toEqual([device]);
    expect(world.decisionsOf('noticed').filter(({ aborted }) => aborted)).toHaveLength(1);
  });

  it('has its connection left alone if it answers again shortly before the time is up', async () => {
    await using world = await oneHealthyPod({ abortHungAfter: (10n * second) as Nanoseconds });
    const device = world.sourceOf('demo') as DeviceId;
    world.kernel.setState(device, 'hung');
    // The resync after 10 s still finds it hung, and the next one comes when the time is up.
    await world.clock.advance(13_500);
    world.kernel.setState(device, 'live');
    await world.clock.advance(30_000);
    expect(world.kernel.aborted).toEqual([]);
  });

  it('does not get another filesystem aborted that has taken its device number', async () => {
    await using world = createWorld({ abortHungAfter: (30n * second) as Nanoseconds });
    world.volumes.push(volumeNamed('demo'));
    const device = world.serve('demo');
    world.engine.start();
    await world.clock.settle();
    world.kernel.setState(device, 'hung');
    await world.clock.advance(8_000);
    world.kernel.detach(world.kernel.host, sourcePath('demo'));
    await world.clock.advance(1_000);
    world.kernel.bind(world.kernel.host, '/plugins/other/mount', { device, fstype: 'fuse.other' });
    await world.clock.advance(120_000);
    expect(world.kernel.aborted).toEqual([]);
  });

  it('does not get its successor aborted that has taken its device number', async () => {
    await using world = createWorld({ abortHungAfter: (30n * second) as Nanoseconds });
    world.volumes.push(volumeNamed('demo'));
    const device = world.serve('demo');
    world.engine.start();
    await world.clock.settle();
    world.kernel.setState(device, 'hung');
    await world.clock.advance(8_000);
    world.kernel.detach(world.kernel.host, sourcePath('demo'));
    world.kernel.bind(world.kernel.host, sourcePath('demo'), { device });
    // The first one would have hung for 30 s by then.
    await world.clock.advance(29_000);
    expect(world.kernel.aborted).toEqual([]);
  });
});
