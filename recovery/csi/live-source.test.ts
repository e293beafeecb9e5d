import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import type { Nanoseconds } from '../engine/model.ts';
import { awaitLiveSource } from './live-source.ts';
import { FakeClock, FakeNode } from './testing/fake-node.ts';

it('has one abort listener at a time, however long it waits', async () => {
  const kernel = new FakeNode();
  const clock = new FakeClock();
  const { signal } = new AbortController();
  const path = '/runtime-mnt/jindo/default/demo/jindofs-fuse';
  const source = { path, subdirectory: '' };
  const until = (clock.now() + 60_000_000_000n) as Nanoseconds;
  const waiting = awaitLiveSource({ kernel, clock, source, until, signal });
  for (let retry = 0; retry < 20; retry++) {
    await expect.poll(() => clock.waiting, { interval: 1 }).toBe(1);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    clock.advance(250_000_000n);
    await new Promise(setImmediate);
  }
  kernel.mount({ path, device: '0:50' });
  expect(await waiting).toMatchObject({ ok: true, value: { device: '0:50' } });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
