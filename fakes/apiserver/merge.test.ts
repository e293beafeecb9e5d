import { describe, expect, it } from 'vitest';
import type { Json } from './api-object.ts';
import { mergePatch, strategicMerge } from './patch.ts';

describe('a strategic merge patch', () => {
  it.each<[string, Json, Json, Json]>([
    [
      'changes one container and keeps the others, in the order that is asked for',
      {
        containers: [
          { name: 'registrar' },
          { name: 'plugins', image: 'i', args: ['--feature-gates=FuseRecovery=false'] },
        ],
      },
      {
        '$setElementOrder/containers': [{ name: 'plugins' }, { name: 'registrar' }],
        containers: [{ name: 'plugins', args: ['--feature-gates=FuseRecovery=true'] }],
      },
      {
        containers: [
          { name: 'plugins', image: 'i', args: ['--feature-gates=FuseRecovery=true'] },
          { name: 'registrar' },
        ],
      },
    ],
    [
      'adds what has a new key',
      { env: [{ name: 'a' }] },
      { env: [{ name: 'b' }] },
      { env: [{ name: 'a' }, { name: 'b' }] },
    ],
    [
      'deletes an item by its key',
      { volumeMounts: [{ mountPath: '/a' }, { mountPath: '/b' }] },
      { volumeMounts: [{ $patch: 'delete', mountPath: '/a' }] },
      { volumeMounts: [{ mountPath: '/b' }] },
    ],
    [
      'replaces a list if directed to',
      { env: [{ name: 'a' }] },
      { env: [{ $patch: 'replace' }, { name: 'b' }] },
      { env: [{ name: 'b' }] },
    ],
    ['replaces a list without a key', { args: ['a', 'b'] }, { args: ['c'] }, { args: ['c'] }],
    ['merges finalizers as a set', { finalizers: ['a'] }, { finalizers: ['a', 'b'] }, { finalizers: ['a', 'b'] }],
    [
      'removes from a set',
      { finalizers: ['a', 'b'] },
      { '$deleteFromPrimitiveList/finalizers': ['a'] },
      { finalizers: ['b'] },
    ],
    ['keeps only the retained keys', { a: 1, b: 2 }, { $retainKeys: ['b', 'c'], c: 3 }, { b: 2, c: 3 }],
    ['removes keys that are null', { a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
    ['sets a list that was missing', {}, { conditions: [{ type: 'Ready' }] }, { conditions: [{ type: 'Ready' }] }],
  ])('%s', (_what, target, patch, merged) => {
    expect(strategicMerge(target, patch)).toEqual(merged);
  });
});

describe('a JSON merge patch (the examples of RFC 7386)', () => {
  it.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('turns %j by %j into %j', (target, patch, merged) => {
    expect(mergePatch(target, patch)).toEqual(merged);
  });
});
