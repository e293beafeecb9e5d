import { expect, test } from 'vitest';
import { RequestCount, requestsBetween, requestsIn } from './api-requests.ts';

const help = '# TYPE rekindle_api_requests_total counter';
const metrics = (events: number) =>
  `${help}\nrekindle_api_requests_total{verb="create",resource="events"} ${events}\nother{verb="list"} 9\n`;
const { signal } = new AbortController();

test('an agent’s requests are read from its metrics, and an agent without that metric has none', () => {
  expect(requestsIn(metrics(3))).toEqual({ 'create events': 3 });
  expect(requestsIn('other 1\n')).toBeUndefined();
});

test('what came between two looks is counted, also where the agent was started again', () => {
  expect(requestsBetween({ 'create events': 3, 'list pods': 1 }, { 'create events': 5, 'list pods': 1 })).toEqual({
    'create events': 2,
  });
  expect(requestsBetween({ 'create events': 3 }, { 'create events': 1, 'list pods': 1 })).toEqual({
    'create events': 1,
    'list pods': 1,
  });
});

test('requests that come late belong to the crash, and what comes between crashes to none', async () => {
  // Of the looks: at the beginning, three until it stands still; and the same again.
  const said = [1, 2, 4, 4, 10, 11, 11];
  const count = new RequestCount(async () => metrics(said.shift() ?? 11), signal);
  await count.begin();
  await count.end(1);
  await count.begin();
  await count.end(1);
  expect(count.result).toEqual({ during: { 'create events': 4 }, crashes: 2 });
  await count.rest(1);
  expect(count.result?.idle).toEqual({ during: {}, overMs: 1 });
});

test('reports nothing for an agent that does not count its requests', async () => {
  const count = new RequestCount(async () => '', signal);
  await count.begin();
  await count.end(1);
  expect(count.result).toBeUndefined();
});
