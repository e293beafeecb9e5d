import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createModelledClock, type ModelledClock } from '../engine/testing/modelled-clock.ts';
import { formatError } from '../log.ts';
import { type ListWatch, listWatch } from './list-watch.ts';
import { ApiError, type ApiRequest, ApiTimeout, type Transport } from './transport.ts';

let clock: ModelledClock;
let watched: ListWatch<unknown> | undefined;
/** `list`, or `watch VERSION`, for each request. */
let requests: string[];
/** The value of `timeoutSeconds` in each watch. */
let timeouts: number[];
/** Troubles and `recovered`, as a log would show them. */
let log: string[];
let listedVersion: number;
let answerList: (request: ApiRequest) => unknown;
let answerWatch: (request: ApiRequest, body: PassThrough) => void;

beforeEach(() => {
  clock = createModelledClock();
  requests = [];
  timeouts = [];
  log = [];
  listedVersion = 0;
  answerList = () => ({ metadata: { resourceVersion: String(++listedVersion) }, items: [] });
  answerWatch = () => {};
});

afterEach(async () => {
  await watched?.[Symbol.asyncDispose]();
  watched = undefined;
});

function start(random = 0): void {
  const transport: Transport = {
    async json(request) {
      requests.push('list');
      return answerList(request);
    },
    async stream(request) {
      const query = new URL(request.path, 'http://x').searchParams;
      requests.push(`watch ${query.get('resourceVersion')}`);
      timeouts.push(Number(query.get('timeoutSeconds')));
      const body = new PassThrough();
      body.on('error', () => {});
      request.signal.addEventListener('abort', () => body.destroy(request.signal.reason as Error));
      answerWatch(request, body);
      return body as never;
    },
  };
  watched = listWatch({
    transport,
    path: '/api/v1/pods',
    map: (object) => object,
    onChange: () => {},
    onError: (error) => void log.push(formatError(error)),
    onRecovered: () => void log.push('recovered'),
    clock,
    random: () => random,
  });
}

const lists = () => requests.filter((request) => request === 'list').length;
const bookmark = (version: number) =>
  `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } })}\n`;

it.each([
  [0, 300],
  [0.5, 450],
  [1, 600],
])('asks for a watch of five to ten minutes (random %d)', async (random, seconds) => {
  start(random);
  await clock.advance(1000);
  expect(timeouts).toEqual([seconds]);
});

it('ends a silent watch after its timeout and a grace period, and lists again', async () => {
  start();
  await clock.advance(329_000);
  expect(requests).toEqual(['list', 'watch 1']);
  await clock.advance(2000);
  expect(requests).toEqual(['list', 'watch 1', 'list', 'watch 2']);
  expect(log).toEqual(['GET /api/v1/pods: the watch did not end within 330 s, although it asked for 300 s']);
});

it('reports silent watches once, until an event arrives', async () => {
  let body: PassThrough | undefined;
  answerWatch = (_, stream) => {
    body = stream;
  };
  start();
  await clock.advance(3_600_000);
  expect(lists()).toBeGreaterThan(5);
  expect(log).toHaveLength(1);
  body?.write(bookmark(50));
  await clock.advance(6000);
  expect(log.slice(1)).toEqual(['recovered']);
});

it('is not listed until the first list, and names the cause', async () => {
  answerList = (request) => {
    throw new ApiError(403, request, 'forbidden');
  };
  start();
  expect(watched?.problem()).toBe('not listed for 0 s');
  await clock.advance(7_000);
  expect(watched?.problem()).toBe('not listed for 7 s (403)');
  answerList = () => ({ metadata: { resourceVersion: '1' }, items: [] });
  await clock.advance(30_000);
  expect(watched?.problem()).toBeUndefined();
});

it('is silent once the API server has failed for a minute since its last answer', async () => {
  let body: PassThrough | undefined;
  answerWatch = (_, stream) => {
    body = stream;
  };
  start();
  await clock.advance(100_000);
  expect(watched?.problem()).toBeUndefined();
  answerWatch = (request) => {
    throw new ApiError(503, request, 'unavailable');
  };
  body?.end(bookmark(50));
  await clock.advance(59_000);
  expect(watched?.problem()).toBeUndefined();
  await clock.advance(2_000);
  expect(watched?.problem()).toBe('silent for 61 s (503)');
  answerWatch = () => {};
  await clock.advance(60_000);
  expect(watched?.problem()).toBeUndefined();
});

it('resumes a watch that ends normally from its last version', async () => {
  const bodies: PassThrough[] = [];
  answerWatch = (_, body) => void bodies.push(body);
  start();
  await clock.advance(10_000);
  bodies[0]?.end(bookmark(50));
  await clock.advance(10_000);
  expect(requests).toEqual(['list', 'watch 1', 'watch 50']);
  expect(log).toEqual([]);
});

it.each<[string, (request: ApiRequest, body: PassThrough) => void, RegExp]>([
  ['a version that is too large', failWith(504), /504/],
  ['an invalid version', failWith(400), /400/],
  ['an event that is not JSON', (_, body) => void body.write('<html>\n'), /JSON/],
  ['a body that is not JSON', (_, body) => void body.end('<html>'), /JSON/],
  ['headers that do not come', throwTimeout, /no response/],
  ['an error event', (_, body) => void body.write('{"type":"ERROR","object":{"code":504,"message":"large"}}\n'), /504/],
])('lists again after %s, with growing delays, and reports it once', async (_, answer, message) => {
  answerWatch = answer;
  start();
  await clock.advance(2000);
  expect(lists()).toBeGreaterThan(3);
  const early = lists();
  await clock.advance(60_000);
  expect(lists() - early).toBeLessThan(10);
  expect(requests.filter((request) => request !== 'list')).toEqual(
    Array.from({ length: requests.length / 2 }, (_, index) => `watch ${index + 1}`),
  );
  expect(log).toEqual([expect.stringMatching(message)]);
  answerWatch = () => {};
  await clock.advance(40_000);
  expect(log.slice(1)).toEqual(['recovered']);
});

it('lists again without a report if the version has expired, and reports it if that persists', async () => {
  answerWatch = (request) => {
    if (requests.length < 5) failWith(410)(request);
  };
  start();
  await clock.advance(80);
  expect({ requests, log }).toEqual({ requests: ['list', 'watch 1', 'list', 'watch 2'], log: [expect.any(String)] });
  await clock.advance(10_000);
  expect(requests).toEqual(['list', 'watch 1', 'list', 'watch 2', 'list', 'watch 3']);
});

it.each<[string, (request: ApiRequest, body: PassThrough) => void]>([
  ['a refused connection', throwRefused],
  ['an overloaded server', failWith(429)],
  ['a denied watch', failWith(403)],
])('only repeats the watch after %s', async (_, answer) => {
  start();
  answerWatch = answer;
  await clock.advance(60_000);
  expect(lists()).toBe(1);
  expect(requests.length).toBeGreaterThan(5);
  expect(log).toHaveLength(1);
  answerWatch = () => {};
  await clock.advance(40_000);
  expect(log.slice(1)).toEqual(['recovered']);
});

it('reports each cause once during an outage', async () => {
  const causes = [throwRefused, failWith(503)];
  answerWatch = (request) => causes[requests.length % 2]?.(request);
  start();
  await clock.advance(120_000);
  expect(log).toHaveLength(2);
});

it('retries a failed list with growing delays, and reports it once', async () => {
  const answer = answerList;
  answerList = () => JSON.parse('<html>');
  start();
  await clock.advance(120_000);
  expect(requests.length).toBeGreaterThan(8);
  expect(requests.length).toBeLessThan(20);
  expect(log).toHaveLength(1);
  answerList = answer;
  await clock.advance(60_000);
  expect(log.slice(1)).toEqual(['recovered']);
});

function failWith(status: number) {
  return (request: ApiRequest): void => {
    throw new ApiError(status, request, 'failed');
  };
}

function throwTimeout(request: ApiRequest): void {
  throw new ApiTimeout(request, 30);
}

function throwRefused(): void {
  throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
}
