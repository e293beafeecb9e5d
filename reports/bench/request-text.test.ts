import { expect, it } from 'vitest';
import { requestText } from './request-text.ts';

it('tells requests a crash, and what those at rest come to in an hour', () => {
  expect(
    requestText({
      during: { 'create events': 60, 'get pods': 30 },
      crashes: 30,
      idle: { during: { 'watch pods': 1 }, overMs: 60_000 },
    }),
  ).toEqual([
    '  API requests: 3.0 a crash (create events 2.0, get pods 1.0); none of them a list',
    '  at rest: 1 in 60 s (watch pods 1), so 60 an hour',
  ]);
});

it('tells lists, which no pass is to make, and that nothing was asked at rest', () => {
  expect(requestText({ during: { 'list pods': 4 }, crashes: 2, idle: { during: {}, overMs: 60_000 } })).toEqual([
    '  API requests: 2.0 a crash (list pods 2.0); lists 4',
    '  at rest: 0 in 60 s, so 0 an hour',
  ]);
});
