import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newRunId, parseRunId, runIdOfTemporary, temporaryDirectory } from './run-id.ts';

const moment = new Date('2026-11-22T13:45:01.999Z');

test('a run id is the moment in UTC and four random characters', () => {
  expect(newRunId(moment, () => 0)).toBe('20261122-134501-0000');
  expect(newRunId(moment, () => 0.999999)).toBe('20261122-134501-zzzz');
});

test('every new run id parses, and is found again in the names of its temporary directories', () => {
  const date = fc.date({ min: new Date('2000-01-01'), max: new Date('2999-12-31'), noInvalidDate: true });
  const random = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
  fc.assert(
    fc.property(
      date,
      random,
      fc.option(fc.stringMatching(/^[a-z-]{1,8}$/), { nil: undefined }),
      (at, numbers, purpose) => {
        const id = newRunId(at, () => numbers.next().value);
        expect(parseRunId(id)).toBe(id);
        const name = temporaryDirectory('/tmp', id, purpose).slice('/tmp/'.length);
        expect(runIdOfTemporary(name)).toBe(id);
      },
    ),
  );
});

test.each(['', '20261122-134501', '20261122-134501-k3f9x', '../20261122-134501-k3f9', '20261122-134501-K3F9'])(
  '%j is no run id',
  (text) => {
    expect(parseRunId(text)).toBeUndefined();
  },
);

test.each(['rekindle-cache', 'rekindle-20261122-134501-k3f9x', 'x-rekindle-20261122-134501-k3f9', 'rekindle'])(
  'the file %j belongs to no run',
  (name) => {
    expect(runIdOfTemporary(name)).toBeUndefined();
  },
);
