import { expect, it } from 'vitest';
import { folderCycles, homonyms } from './house.ts';

it('finds folders that import each other through a third', () => {
  const files = [
    { path: 'a/one/x.ts', imports: ['b/two/y.ts'] },
    { path: 'b/two/y.ts', imports: ['c/three/z.ts'] },
    { path: 'c/three/z.ts', imports: ['a/one/x.ts'] },
    { path: 'd/four/w.ts', imports: ['a/one/x.ts'] },
  ];
  expect(folderCycles(files)).toEqual([['a/one', 'b/two', 'c/three']]);
});

it('finds a type name with two definitions', () => {
  const files = [
    { path: 'a.ts', types: ['Place', 'Device'] },
    { path: 'b.ts', types: ['Place'] },
  ];
  expect([...homonyms(files)]).toEqual([['Place', ['a.ts', 'b.ts']]]);
});
