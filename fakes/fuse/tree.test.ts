import { describe, expect, it } from 'vitest';
import { toDirectory } from './tree.ts';

const object = (key: string) => ({ key, size: 3, modifiedAt: 1_000, etag: 'e' });

describe('directoryOf', () => {
  it('names files and directories without the prefix', () => {
    const directory = toDirectory('dir/', { objects: [object('dir/a')], prefixes: ['dir/sub/'] });
    expect([...directory]).toEqual([
      ['a', { kind: 'file', key: 'dir/a', size: 3, modifiedAt: 1_000, etag: 'e' }],
      ['sub', { kind: 'directory' }],
    ]);
  });

  it('treats a name that is both an object and a prefix as a directory', () => {
    const directory = toDirectory('', { objects: [object('x')], prefixes: ['x/'] });
    expect(directory.get('x')).toEqual({ kind: 'directory' });
  });

  it.each(['dir/', 'dir/.', 'dir/..', 'dir/a\0b', `dir/${'n'.repeat(256)}`])('does not show the key %j', (key) => {
    expect(toDirectory('dir/', { objects: [object(key)], prefixes: [] }).size).toBe(0);
  });

  it('hides a directory without a name', () => {
    expect(toDirectory('dir/', { objects: [], prefixes: ['dir//', 'dir/../'] }).size).toBe(0);
  });
});
