import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Mount } from '../engine/model.ts';
import { parseMountinfo } from './mountinfo.ts';
import { belowRoot, flattened, innerMounts, mountedElsewhere, mountTree, relativePath, stackState } from './stack.ts';

/** `id parent device mountPoint`, one mount a line. */
const table = (text: string): readonly Mount[] =>
  parseMountinfo(
    text
      .trim()
      .split('\n')
      .map((line) => {
        const [id, parent, device, point] = line.trim().split(' ');
        return `${id} ${parent} ${device} / ${point} rw - fuse none rw\n`;
      })
      .join(''),
  );

const mount = (mounts: readonly Mount[], id: number): Mount => {
  const found = mounts.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no mount ${id}`);
  return found;
};

const stacked = table(`1 0 0:1 /
2 1 0:2 /data
3 2 0:3 /data`);

describe('stackState', () => {
  const expected = stacked.slice(1);

  it('is the same while nothing changes', () => {
    expect(stackState(mountTree(stacked), expected)).toEqual({ state: 'same' });
  });

  it('shows what was put on top', () => {
    const now = [...stacked, ...table('4 3 0:4 /data')];
    expect(stackState(mountTree(now), expected)).toMatchObject({ state: 'covered', by: { id: 4 } });
  });

  it.each([
    ['a layer is gone', table('1 0 0:1 /\n3 1 0:3 /data')],
    ['an id was used again', table('1 0 0:1 /\n2 1 0:2 /data\n3 2 0:9 /data')],
    ['one was put between', table('1 0 0:1 /\n2 1 0:2 /data\n4 2 0:4 /data\n3 4 0:3 /data')],
  ])('is changed where %s', (_, now) => {
    expect(stackState(mountTree(now), expected)).toEqual({ state: 'changed' });
  });

  it('is never the same as nothing', () => {
    expect(stackState(mountTree(stacked), [])).toEqual({ state: 'changed' });
  });
});

describe('innerMounts', () => {
  const mounts = table(`1 0 0:1 /
2 1 0:2 /data
3 2 0:3 /data
4 2 0:4 /data/hidden
5 3 0:5 /data/cache
6 5 0:6 /data/cache
7 5 0:7 /data/cache/covered
8 6 0:8 /data/cache/a/b`);
  const paths = (remembered: readonly Mount[] = []) =>
    flattened(innerMounts(mount(mounts, 3), mountTree(mounts), remembered)).map(
      (one) => `${one.mount.id} ${one.relative}`,
    );

  it('has what is seen inside, not what lies below a lower layer or under another mount', () => {
    expect(paths()).toEqual(['6 cache', '8 a/b']);
  });

  it('has what was dropped from the table since it was seen', () => {
    expect(paths(table('9 3 0:9 /data/gone\n5 3 0:5 /data/cache'))).toEqual(['6 cache', '8 a/b', '9 gone']);
  });

  it('never takes the stack itself for something inside', () => {
    expect(flattened(innerMounts(mount(mounts, 2), mountTree(mounts), [])).map((one) => one.mount.id)).toEqual([4]);
  });
});

describe('a directory that another mount shows', () => {
  const on = (mountPoint: string, root: string): Mount => ({ ...mount(stacked, 2), mountPoint, root });
  const wanted = on('/data/cache', '/pods/p1/cache');

  it('is its root if there is such a mount', () => {
    const exact = on('/var/cache', '/pods/p1/cache');
    const found = mountedElsewhere(wanted, [on('/', '/'), exact]);
    expect(found.map(({ path }) => path)).toEqual(['/var/cache', '/pods/p1/cache']);
    expect(found[0]?.mount).toBe(exact);
  });

  it('lies inside one of a directory above it', () => {
    const around = on('/var/pods', '/pods');
    expect(mountedElsewhere(wanted, [around])).toEqual([{ mount: around, path: '/var/pods/p1/cache' }]);
    expect(mountedElsewhere(wanted, [on('/', '/')])[0]?.path).toBe('/pods/p1/cache');
  });

  it('is nowhere where only other directories are mounted', () => {
    expect(mountedElsewhere(wanted, [on('/a', '/pods/p1/cach'), on('/b', '/other')])).toEqual([]);
  });
});

describe('paths', () => {
  const name = fc.stringMatching(/^[a-z.]{1,4}$/);
  const path = fc.array(name, { maxLength: 4 }).map((names) => `/${names.join('/')}`);

  it('come together again', () => {
    fc.assert(
      fc.property(path, fc.array(name, { minLength: 1, maxLength: 3 }), (from, names) => {
        const to = `${from === '/' ? '' : from}/${names.join('/')}`;
        expect(relativePath(from, to)).toBe(names.join('/'));
        expect(belowRoot(from, to)).toBe(names.join('/'));
      }),
    );
  });

  it('are not below a root that only begins alike', () => {
    expect(belowRoot('/a', '/ab')).toBeUndefined();
    expect(belowRoot('/a', '/a')).toBe('');
  });
});
