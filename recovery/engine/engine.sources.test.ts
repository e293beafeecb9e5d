import { describe, expect, it } from 'vitest';
import { crash } from './testing/healthy-pod.ts';
import { createWorld, podNamed, recordOf, sourcePath, volumeNamed } from './testing/world.ts';

describe('several sources', () => {
  it('leave a site on any live one alone, and move a site on a dead one to the first live one', async () => {
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

it('recovers from one live source although another has not answered', async () => {
  await using world = createWorld();
  const spare = '/runtime-mnt/jindo/default/demo/spare';
  world.volumes.push(volumeNamed('demo', { sources: [spare, sourcePath('demo')] }));
  world.kernel.mountFuse(world.kernel.host, spare, 'starting');
  const first = world.kernel.mountFuse(world.kernel.host, sourcePath('demo'));
  world.kernel.bind(world.kernel.host, world.target('pod-1'), { device: first });
  world.kernel.records.set(world.target('pod-1'), recordOf('demo'));
  world.kernel.crash(first);
  world.kernel.mountFuse(world.kernel.host, sourcePath('demo'));
  world.engine.start();
  await world.clock.settle();
  expect(world.decisionsOf('recovered').map(({ site }) => site.path)).toEqual([world.target('pod-1')]);
});
