import { expect, it } from 'vitest';
import { changes } from './mounts.ts';

it('marks lines that came and lines that went, also where a line stands twice', () => {
  expect(changes({ lines: ['a', 'b', 'b'] }, { lines: ['a', 'b', 'c'] })).toEqual([
    { sign: '−', line: 'b' },
    { sign: ' ', line: 'a' },
    { sign: ' ', line: 'b' },
    { sign: '+', line: 'c' },
  ]);
});
