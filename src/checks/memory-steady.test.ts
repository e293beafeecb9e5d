import { expect, it } from 'vitest';
import { keepsMemorySteady } from './memory-steady.ts';

it.each([
  ['as much as at first', 60e6, 'pass'],
  ['a little more, as before a collection', 85e6, 'pass'],
  ['much more', 95e6, 'fail'],
] as const)('an agent that holds %s', (_, last, verdict) => {
  expect(keepsMemorySteady({ first: 60e6, last, crashes: 1000 })).toMatchObject({ verdict });
});
