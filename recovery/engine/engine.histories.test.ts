import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceId } from './model.ts';
import { siteKey } from './mount-sites.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import { AgentDied } from './testing/modelled-kernel.ts';
import { createWorld, podNamed, sourcePath, volumeNamed } from './testing/world.ts';

describe('any history', () => {
  it('leaves the mount tables as long as before after a thousand crashes', async () => {
    await using world = await oneHealthyPod();
    const lines = () => world.kernel.host.length + (world.kernel.processes[0]?.mounts.length ?? 0);
    const before = lines();
    for (let count = 0; count < 1_000; count += 1) {
      crash(world);
      // The daemon detaches its predecessor's mount; otherwise the source's stack would grow.
      world.kernel.detach(world.kernel.host, sourcePath('demo'));
      world.serve('demo');
      await world.clock.settle();
    }
    expect(lines()).toBe(before);
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('recovered')).toHaveLength(2_000);
  }, 240_000);

  /** The mounts at a site, bottom first. */
  const layers = fc.array(fc.constantFrom('dead' as const, 'live' as const), { minLength: 0, maxLength: 4 });

  it('makes any stack of dead and live mounts readable and no deeper, wherever the agent dies', async () => {
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
          const corpse = world.serve('demo');
          world.kernel.crash(corpse);
          const live = world.serve('demo');
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
            world.replaceEngine();
          }
          world.kernel.dieBefore(undefined);
          // The lock of an agent that died was released when its scope was left.
          await world.engine.pass('start');
          await world.engine.idle();
          expect(world.broken()).toEqual([]);
          for (const [at, now] of depth().entries()) expect(now).toBeLessThanOrEqual(before[at] ?? 0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('finishes in a container what an agent left half-done, although the target path was recovered long before', async () => {
    await using world = await oneHealthyPod();
    const pods = world.pods.splice(0);
    world.kubernetesChanged();
    crash(world);
    world.kernel.detach(world.kernel.host, sourcePath('demo'));
    world.serve('demo');
    await world.clock.advance(5_000);
    await world.engine[Symbol.asyncDispose]();
    world.pods.push(...pods);
    world.replaceEngine();
    // It has attached the live mount beneath the dead one.
    world.kernel.dieBefore(1);
    await expect(world.engine.pass('start')).rejects.toBeInstanceOf(AgentDied);
    world.kernel.dieBefore(undefined);
    world.replaceEngine();
    await world.engine.pass('start');
    expect(world.broken()).toEqual([]);
    expect(world.kernel.processes[0]?.mounts.filter(({ mountPoint }) => mountPoint === '/data')).toHaveLength(1);
  });

  const happening = fc.oneof(
    fc.constantFrom('crash', 'serve', 'slow', 'detach', 'run', 'die', 'tick', 'resync' as const),
    fc.constantFrom('crash', 'serve' as const),
  );

  it('claims no success without a proof, and at rest every labelled pod can read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 25 }), async (story) => {
        const proofs: string[] = [];
        await using world = createWorld();
        const { kernel } = world;
        const read = kernel.read;
        kernel.read = async (request) => {
          const result = await read(request);
          if (result.ok && result.value.device === world.sourceOf('demo') && request.site.kind !== 'source') {
            proofs.push(siteKey(request.site));
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
            world.replaceEngine();
            world.engine.start();
          }
          if (event === 'tick') await world.clock.settle();
          if (event === 'resync') await world.clock.advance(5_000);
        }
        if (starting !== undefined && kernel.stateOf(starting) === 'starting') kernel.setState(starting, 'live');
        const last = world.sourceOf('demo');
        if (last === undefined || kernel.stateOf(last) !== 'live') world.serve('demo');
        await world.clock.advance(75_000);

        expect(world.broken()).toEqual([]);
        const claimed = world.decisionsOf('recovered').map(({ site }) => siteKey(site));
        for (const key of new Set(claimed)) {
          const proven = proofs.filter((proof) => proof === key).length;
          expect(claimed.filter((claim) => claim === key).length).toBeLessThanOrEqual(proven);
        }
      }),
      { numRuns: 100 },
    );
  });
});
