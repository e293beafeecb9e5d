import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { createRingMemory, openRing } from './ring.ts';

const pair = () => {
  const memory = createRingMemory();
  return { writer: openRing(memory), reader: openRing(memory) };
};

describe('the ring between the probe’s threads', () => {
  it('returns each record once, unchanged and in order', () => {
    const { writer, reader } = pair();
    const good = { at: 1e15, startedAt: 1e15 + 1, finishedAt: 1e15 + 2, op: 'read', result: 'ok' } as const;
    const bad = { ...good, op: 'list', result: 'ENOTCONN', call: 'scandir' } as const;
    writer.push(good);
    writer.push(bad);
    expect(reader.drain()).toEqual([good, bad]);
    expect(reader.drain()).toEqual([]);
  });

  it('keeps the order beyond its capacity', () => {
    const { writer, reader } = pair();
    const seen: number[] = [];
    for (let n = 0; n < 50_000; n++) {
      writer.push({ at: n, startedAt: n, finishedAt: n, op: 'stat', result: 'ok' });
      if (n % 9_000 === 0) seen.push(...reader.drain().map(({ at }) => at));
    }
    seen.push(...reader.drain().map(({ at }) => at));
    expect(seen).toEqual(Array.from({ length: 50_000 }, (_, n) => n));
  });

  it('makes its writer wait while it is full', async () => {
    const memory = createRingMemory();
    const writing = `
      const { workerData } = require('node:worker_threads');
      import(workerData.ring).then(({ openRing }) => {
        const ring = openRing(workerData.memory);
        for (let n = 0; n < 50_000; n++) ring.push({ at: n, startedAt: n, finishedAt: n, op: 'stat', result: 'ok' });
      });`;
    const ring = new URL('./ring.ts', import.meta.url).href;
    const worker = new Worker(writing, { eval: true, workerData: { memory, ring } });
    const reader = openRing(memory);
    // The ring counts from 0 and holds 16,384 records.
    const written = () => Atomics.load(new Int32Array(memory), 0);
    await vi.waitUntil(() => written() >= 16_384, { timeout: 20_000, interval: 1 });
    const seen: number[] = [];
    await vi.waitUntil(
      () => {
        seen.push(...reader.drain().map(({ at }) => at));
        return seen.length >= 50_000;
      },
      { timeout: 20_000, interval: 1 },
    );
    await worker.terminate();
    expect(seen).toEqual(Array.from({ length: 50_000 }, (_, n) => n));
  });

  it('records an unknown result as EUNKNOWN and not as ok', () => {
    const { writer, reader } = pair();
    writer.push({ at: 1, startedAt: 1, finishedAt: 2, op: 'read', result: 'ESOMETHINGNEW', call: 'openat3' });
    expect(reader.drain()).toEqual([
      { at: 1, startedAt: 1, finishedAt: 2, op: 'read', result: 'EUNKNOWN', call: 'EUNKNOWN' },
    ]);
  });

  it('shows the operation in flight until it ends', () => {
    const { writer, reader } = pair();
    expect(reader.inFlight()).toBeUndefined();
    writer.begin('list', 123_456_789_012_345n);
    expect(reader.inFlight()).toEqual({ op: 'list', since: 123_456_789_012_345 });
    writer.end();
    expect(reader.inFlight()).toBeUndefined();
  });

  it('stops the writer', () => {
    const { writer, reader } = pair();
    expect(writer.pause(0)).toBe(false);
    reader.stop();
    expect(writer.pause(60_000)).toBe(true);
  });
});
