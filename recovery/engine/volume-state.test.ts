import { expect, it } from 'vitest';
import { createVolumeLocks } from './volume-state.ts';

it('gives each volume’s lock to one holder at a time', () => {
  const locks = createVolumeLocks();
  const held = locks.tryAcquire('a');
  expect(held).toBeDefined();
  expect(locks.tryAcquire('a')).toBeUndefined();
  expect(locks.tryAcquire('b')).toBeDefined();
  held?.[Symbol.dispose]();
  expect(locks.tryAcquire('a')).toBeDefined();
});

it('leaves the next holder’s lock alone if a lock is released twice', () => {
  const locks = createVolumeLocks();
  const first = locks.tryAcquire('a');
  first?.[Symbol.dispose]();
  locks.tryAcquire('a');
  first?.[Symbol.dispose]();
  expect(locks.tryAcquire('a')).toBeUndefined();
});
