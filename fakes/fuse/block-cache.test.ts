import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockCache } from './block-cache.ts';

describe('BlockCache', () => {
  it('drops the block that was used longest ago', () => {
    const cache = new BlockCache(3);
    cache.set('a', Buffer.from('1'));
    cache.set('b', Buffer.from('2'));
    cache.set('c', Buffer.from('3'));
    cache.get('a');
    cache.set('d', Buffer.from('4'));
    expect(['a', 'b', 'c', 'd'].filter((id) => cache.get(id) !== undefined)).toEqual(['a', 'c', 'd']);
  });

  it('counts a block that is set again once', () => {
    const cache = new BlockCache(10);
    cache.set('a', Buffer.alloc(4));
    cache.set('a', Buffer.alloc(6));
    expect(cache.bytes).toBe(6);
    expect(cache.get('a')?.byteLength).toBe(6);
  });

  it('never holds more than its bound, and counts what it holds', () => {
    const step = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e'), size: fc.nat(12), set: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), fc.nat(20), (steps, bound) => {
        const cache = new BlockCache(bound);
        for (const { id, size, set } of steps) {
          if (set) cache.set(id, Buffer.alloc(size));
          else cache.get(id);
          const held = ['a', 'b', 'c', 'd', 'e'].map((each) => cache.get(each)?.byteLength ?? 0);
          expect(cache.bytes).toBe(held.reduce((sum, bytes) => sum + bytes, 0));
          expect(cache.bytes).toBeLessThanOrEqual(bound);
        }
      }),
    );
  });
});
