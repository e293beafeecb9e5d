import { expect, it } from 'vitest';
import { createVolumeLocks } from './locks.ts';

it('gives a lock to one holder at a time, volume by volume', () => {
  const locks = createVolumeLocks();
  const held = locks.tryAcquire('a');
  expect(held).toBeDefined();
  expect(locks.tryAcquire('a')).toBeUndefined();
  expect(locks.tryAcquire('b')).toBeDefined();
  held?.[Symbol.dispose]();
  expect(locks.tryAcquire('a')).toBeDefined();
});

it('does not take the lock from its next holder when it is released twice', () => {
  const locks = createVolumeLocks();
  const first = locks.tryAcquire('a');
  first?.[Symbol.dispose]();
  locks.tryAcquire('a');
  first?.[Symbol.dispose]();
  expect(locks.tryAcquire('a')).toBeUndefined();
});
