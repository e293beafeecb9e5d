import { describe, expect, it } from 'vitest';
import type { ReadAnswer, ReadRequest, Result } from './ports.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import type { World } from './testing/world.ts';

type OwnError = readonly [errno: string, step: string];

const ownErrors: readonly OwnError[] = [
  ['EAGAIN', 'read-queue'],
  ['ECHILD', 'read'],
  ['ESRCH', 'read-identity'],
  ['ENOENT', 'enter'],
];

/** Makes the reads that match fail with an error of the agent's own, until the returned function is called. */
function failReads(world: World, [errno, step]: OwnError, matches: (request: ReadRequest) => boolean): () => void {
  const { read } = world.kernel;
  let isFailing = true;
  world.kernel.read = async (request): Promise<Result<ReadAnswer>> =>
    isFailing && matches(request)
      ? { ok: false, failure: { errno, call: 'read', path: request.site.path, step } }
      : read(request);
  return () => {
    isFailing = false;
  };
}

describe.each(ownErrors)('a read that fails with %s at step %s', (...error) => {
  it('says nothing about a source', async () => {
    await using world = await oneHealthyPod();
    const before = world.decisionsOf('noticed').length;
    failReads(world, error, ({ site }) => site.kind === 'source');
    await world.clock.advance(20_000);
    expect(world.decisionsOf('noticed')).toHaveLength(before);
    expect(world.decisionsOf('skipped')).toEqual([]);
    expect(world.engine.unhealthy()).toEqual([]);
  });

  it('makes no outage out of a dead mount whose new daemon could not be asked', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    failReads(world, error, ({ site }) => site.kind === 'source');
    world.serve('demo');
    await world.clock.advance(20_000);
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.decisionsOf('skipped')).toEqual([]);
  });

  it('does not replace the live mount of an earlier daemon', async () => {
    await using world = await oneHealthyPod();
    failReads(world, error, ({ site }) => site.kind !== 'source');
    world.serve('demo');
    await world.clock.advance(20_000);
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.decisionsOf('skipped')).toEqual([]);
    expect(world.decisionsOf('failed')).toEqual([]);
  });

  it('is retried without waiting for the resync', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    const restore = failReads(world, error, ({ site }) => site.kind === 'source');
    world.serve('demo');
    await world.clock.advance(50);
    restore();
    await world.clock.advance(300);
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('recovered')).toHaveLength(2);
  });

  it('is no failed proof', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    const restore = failReads(world, error, ({ site, proof }) => site.kind !== 'source' && proof !== 'answer');
    world.serve('demo');
    await world.clock.advance(12_000);
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('failed')).toEqual([]);
    expect(world.decisionsOf('recovered')).toEqual([]);
    restore();
    await world.clock.advance(6_000);
    expect(world.decisionsOf('recovered')).toHaveLength(2);
  });
});
