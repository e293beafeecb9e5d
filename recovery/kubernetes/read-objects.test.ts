import { expect, it } from 'vitest';
import { createModelledClock } from '../engine/testing/modelled-clock.ts';
import { type ReadObjectsOptions, readObjects } from './read-objects.ts';
import { ApiError, type ApiRequest } from './transport.ts';

/** A reader of `/x/<key>` with a modelled clock. Tests set what the server holds, and whether it answers. */
function rig(options: Partial<ReadObjectsOptions<string>> = {}) {
  const clock = createModelledClock();
  const stored = new Map<string, string>();
  const requests: string[] = [];
  const reports: string[] = [];
  const server = { isAway: false, held: undefined as Promise<void> | undefined };
  let changes = 0;
  const read = readObjects<string>({
    transport: {
      async json(request: ApiRequest) {
        const key = request.path.replace('/x/', '');
        requests.push(key);
        await server.held;
        if (server.isAway) throw new ApiError(503, request, 'away');
        const value = stored.get(key);
        if (value === undefined) throw new ApiError(404, request, 'none');
        return { value };
      },
    },
    pathOf: (key) => `/x/${key}`,
    map: (object) => (object as { value: string } | undefined)?.value,
    onChange: () => changes++,
    onError: (error) => void reports.push(String((error as ApiError).status)),
    onRecovered: () => void reports.push('recovered'),
    clock,
    random: () => 0,
    ...options,
  });
  return { read, clock, stored, requests, reports, server, changes: () => changes };
}

const minute = 60_000;

it('reads each wanted object once, and again after its life', async () => {
  const { read, clock, stored, requests, changes } = rig();
  stored.set('a', '1');
  read.want(new Set(['a']));
  read.want(new Set(['a']));
  await read.attempted();
  expect([read.objects.get('a'), requests.length]).toEqual(['1', 1]);
  await clock.advance(19 * minute);
  expect(requests).toHaveLength(1);
  await clock.advance(minute);
  expect([requests.length, changes()]).toEqual([2, 1]);
  stored.set('a', '2');
  await clock.advance(20 * minute);
  expect([read.objects.get('a'), changes()]).toEqual(['2', 2]);
});

it('reads a renewed object again, but once for many pods that start together', async () => {
  const { read, clock, stored, requests } = rig();
  stored.set('a', '1');
  const keys = new Set(['a']);
  read.want(keys);
  await read.attempted();
  read.want(keys, keys);
  expect(requests).toHaveLength(1);
  await clock.advance(2_000);
  stored.set('a', '2');
  for (let pod = 0; pod < 250; pod++) read.want(keys, keys);
  expect(read.objects.get('a')).toBe('1');
  await clock.settle();
  expect([read.objects.get('a'), requests.length]).toEqual(['2', 2]);
});

it('asks for a missing object again with growing delays, up to a minute', async () => {
  const { read, clock, stored, requests } = rig();
  read.want(new Set(['a']));
  await clock.advance(10 * minute);
  expect(requests.length).toBeGreaterThan(15);
  expect(requests.length).toBeLessThan(25);
  stored.set('a', '1');
  await clock.advance(minute);
  expect(read.objects.get('a')).toBe('1');
  expect(read.problem()).toBeUndefined();
});

it('keeps what it knows while the server fails, and reports that once', async () => {
  const { read, clock, stored, server, reports } = rig();
  stored.set('a', '1');
  read.want(new Set(['a']));
  await read.attempted();
  server.isAway = true;
  read.want(new Set(['a', 'b']));
  await clock.advance(minute);
  expect(read.objects.get('a')).toBe('1');
  expect(read.objects.has('b')).toBe(false);
  expect(reports).toEqual(['503']);
  expect(read.problem()).toBe('1 not read for 60 s (503)');
  await clock.advance(21 * minute);
  expect(read.problem()).toMatch(/^2 not read/);
  server.isAway = false;
  await clock.advance(2 * minute);
  expect(reports).toEqual(['503', 'recovered']);
  expect(read.problem()).toBeUndefined();
});

it('keeps an object for ten minutes after its last use, and reads it again for the next', async () => {
  const { read, clock, stored, requests } = rig();
  stored.set('a', '1');
  read.want(new Set(['a']));
  await read.attempted();
  read.want(new Set());
  await clock.advance(9 * minute);
  expect(read.objects.has('a')).toBe(true);
  read.want(new Set(['a']));
  await clock.settle();
  expect(requests).toHaveLength(2);
  read.want(new Set());
  await clock.advance(10 * minute);
  expect(read.objects.has('a')).toBe(false);
  await clock.advance(60 * minute);
  expect(requests).toHaveLength(2);
});

it('sends four requests at a time', async () => {
  const { read, stored, requests, server } = rig();
  const release = Promise.withResolvers<void>();
  server.held = release.promise;
  const keys = Array.from({ length: 10 }, (_, index) => String(index));
  for (const key of keys) stored.set(key, key);
  read.want(new Set(keys));
  expect(requests).toHaveLength(4);
  release.resolve();
  await read.attempted();
  expect(read.objects.size).toBe(10);
});

it('sends nothing after its disposal', async () => {
  const { read, clock, requests } = rig();
  read.want(new Set(['a']));
  await read.attempted();
  read[Symbol.dispose]();
  await clock.advance(60 * minute);
  expect(requests).toHaveLength(1);
});
