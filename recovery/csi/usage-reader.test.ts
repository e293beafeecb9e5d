import { statfsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { DeviceId, Nanoseconds } from '../engine/model.ts';
import { FakeClock } from './fake-node.ts';
import { createUsageReader } from './usage-reader.ts';

const main = fileURLToPath(new URL('./usage-main.ts', import.meta.url));
const clock = new FakeClock();
const device = '0:1' as DeviceId;
const inSeconds = (seconds: number) => (clock.now() + BigInt(seconds * 1e9)) as Nanoseconds;

let reader: ReturnType<typeof createUsageReader>;
const open = (args: string[], nodeRoot = '') =>
  createUsageReader({ command: [process.execPath, ...args], nodeRoot, clock });

afterEach(() => reader[Symbol.asyncDispose]());

describe('the usage reader', () => {
  it('returns the usage in bytes and inodes', async () => {
    reader = open([main]);
    const { blocks, bsize, files } = statfsSync('/proc/self');
    const answer = await reader({ path: '/proc/self', device, deadline: inSeconds(60) });
    expect(answer).toMatchObject({
      ok: true,
      value: [
        { unit: 'BYTES', total: blocks * bsize },
        { unit: 'INODES', total: files },
      ],
    });
  });

  it('resolves paths below the root of the node', async () => {
    reader = open([main], '/proc/self/root');
    expect(await reader({ path: '/proc', device, deadline: inSeconds(60) })).toMatchObject({ ok: true });
  });

  it('answers concurrent requests in order', async () => {
    reader = open([main]);
    const ask = (path: string) => reader({ path, device, deadline: inSeconds(60) });
    const answers = await Promise.all([ask('/'), ask('/nowhere'), ask('/')]);
    expect(answers.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(answers[1]).toMatchObject({ failure: { errno: 'ENOENT', call: 'statfs', path: '/nowhere' } });
  });

  it('gives up at the deadline and starts another process for the next request', async () => {
    // Never answers a path with "hung" and always answers others.
    const hang = `process.stdin.on('data', (d) => String(d).includes('hung') || console.log('{"usage":[]}'))`;
    reader = open(['-e', hang]);
    const hung = reader({ path: '/hung', device, deadline: inSeconds(1) });
    await expect.poll(() => clock.waiting, { interval: 2 }).toBe(1);
    clock.advance(1_000_000_000n);
    expect(await hung).toMatchObject({ ok: false, failure: { errno: 'ETIMEDOUT' } });
    expect(await reader({ path: '/fine', device, deadline: inSeconds(60) })).toEqual({ ok: true, value: [] });
  });

  it('fails if the process dies', async () => {
    reader = open(['-e', 'process.exit(1)']);
    expect(await reader({ path: '/', device, deadline: inSeconds(60) })).toMatchObject({ failure: { errno: 'EIO' } });
  });
});
