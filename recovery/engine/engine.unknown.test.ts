import { describe, expect, it } from 'vitest';
import type { AskRequest } from './ports.ts';
import { crash, oneHealthyPod } from './testing/healthy-pod.ts';
import type { World } from './testing/world.ts';

/** Errors of the agent's own, with the step of a read. */
const ownErrors = [
  ['EAGAIN', 'read-queue'],
  ['ECHILD', 'read'],
  ['ESRCH', 'read-identity'],
  ['ENOENT', 'enter'],
  ['EMFILE', 'enter'],
  ['ENFILE', 'read-open'],
  ['ENOMEM', 'read-statfs'],
  ['EINTR', 'read-list'],
] as const;

/** Makes the questions that match unanswerable by an error of the agent's own, until the returned function is called. */
function failToAsk(world: World, errno: string, matches: (request: AskRequest) => boolean): () => void {
  const { ask } = world.kernel;
  let isFailing = true;
  world.kernel.ask = async (request) => (isFailing && matches(request) ? { status: 'unknown', errno } : ask(request));
  return () => {
    isFailing = false;
  };
}

describe.each(ownErrors)('a question that fails with %s', (errno, step) => {
  it('says nothing about a source', async () => {
    await using world = await oneHealthyPod();
    const before = world.decisionsOf('noticed').length;
    failToAsk(world, errno, ({ site }) => site.kind === 'source');
    await world.clock.advance(20_000);
    expect(world.decisionsOf('noticed')).toHaveLength(before);
    expect(world.decisionsOf('skipped')).toEqual([]);
    expect(world.engine.unhealthy()).toEqual([]);
  });

  it('makes no outage out of a dead mount whose new daemon could not be asked', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    await world.clock.settle();
    failToAsk(world, errno, ({ site }) => site.kind === 'source');
    world.serve('demo');
    await world.clock.advance(20_000);
    expect(world.kernel.counts.replacements).toBe(0);
    expect(world.decisionsOf('skipped')).toEqual([]);
  });

  it('does not replace the live mount of an earlier daemon', async () => {
    await using world = await oneHealthyPod();
    failToAsk(world, errno, ({ site }) => site.kind !== 'source');
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
    const restore = failToAsk(world, errno, ({ site }) => site.kind === 'source');
    world.serve('demo');
    await world.clock.advance(50);
    restore();
    await world.clock.advance(300);
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('recovered')).toHaveLength(2);
  });

  it('is no failed proof if a read fails so', async () => {
    await using world = await oneHealthyPod();
    crash(world);
    const { read } = world.kernel;
    world.kernel.read = async ({ site }) => ({
      ok: false,
      failure: { errno, call: 'read', path: site.path, step },
    });
    world.serve('demo');
    await world.clock.advance(12_000);
    expect(world.broken()).toEqual([]);
    expect(world.decisionsOf('failed')).toEqual([]);
    expect(world.decisionsOf('unproven')).toEqual([]);
    expect(world.decisionsOf('recovered')).toEqual([]);
    world.kernel.read = read;
    await world.clock.advance(6_000);
    expect(world.decisionsOf('recovered')).toHaveLength(2);
  });
});

it('takes no connection for hung because a proof takes too long', async () => {
  await using world = await oneHealthyPod();
  crash(world);
  world.kernel.read = async ({ site }) => ({
    ok: false,
    failure: { errno: 'ETIMEDOUT', call: 'read', path: site.path, step: 'read-list' },
  });
  world.serve('demo');
  await world.clock.advance(20_000);
  expect(world.broken()).toEqual([]);
  expect(world.decisionsOf('skipped')).toEqual([]);
  expect(world.engine.unhealthy()).toEqual([]);
});
