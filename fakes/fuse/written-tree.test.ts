import { beforeEach, describe, expect, it } from 'vitest';
import { fail, type ReadOnlyTree, succeed, type TreeNode } from './tree.ts';
import { type AcceptedChange, WrittenTree } from './written-tree.ts';

const contents: Readonly<Record<string, string>> = { '/a': 'hello', '/sub/b': 'below' };

const lower: ReadOnlyTree = {
  entry: async (path) => {
    const entry = entryOf(path);
    return entry === undefined ? fail('ENOENT') : succeed(entry);
  },
  directory: async (path) => {
    const above = path === '/' ? '/' : `${path}/`;
    const names = Object.keys(contents).filter((file) => file.startsWith(above));
    const children = names.map((file) => file.slice(above.length).split('/')[0] ?? '');
    return succeed(new Map(children.map((name) => [name, entryOf(above + name) ?? { kind: 'directory' }])));
  },
  read: async ({ key }, into, offset) => succeed(Buffer.from(contents[key] ?? '').copy(into, 0, offset)),
};

function entryOf(path: string): TreeNode | undefined {
  const text = contents[path];
  if (text !== undefined) return { kind: 'file', key: path, size: text.length, modifiedAt: 5, etag: 'e' };
  return path === '/' || path === '/sub' ? { kind: 'directory' } : undefined;
}

describe('WrittenTree', () => {
  let tree: WrittenTree;
  let changes: AcceptedChange[];

  beforeEach(() => {
    changes = [];
    tree = new WrittenTree({ lower, now: () => 1_000, onChange: (change) => changes.push(change) });
  });

  const text = async (path: string): Promise<string> => {
    const into = Buffer.alloc(100);
    const read = await tree.read(path, into, 0);
    return read.ok ? into.toString('utf8', 0, read.value) : read.errno;
  };
  const names = async (path: string): Promise<readonly string[] | string> => {
    const listed = await tree.names(path);
    return listed.ok ? [...listed.value].sort() : listed.errno;
  };

  it('shows the lower tree unchanged until something is written', async () => {
    expect(await names('/')).toEqual(['a', 'sub']);
    expect(await text('/a')).toBe('hello');
    expect(await tree.attributes('/a')).toEqual({
      ok: true,
      value: { kind: 'file', mode: 0o775, uid: 0, gid: 0, size: 5, modifiedAt: 5 },
    });
    expect(await tree.attributes('/x')).toEqual({ ok: false, errno: 'ENOENT' });
    expect(changes).toEqual([]);
  });

  it('stores what is written over, into and after a file', async () => {
    await tree.write('/a', Buffer.from('J'), 0);
    await tree.write('/a', Buffer.from('!'), 7);
    expect(await text('/a')).toBe('Jello\0\0!');
    expect(await tree.attributes('/a')).toMatchObject({ value: { size: 8, modifiedAt: 1_000 } });
    await tree.truncate('/a', 3);
    expect(await text('/a')).toBe('Jel');
    expect(changes).toEqual([
      { op: 'write', path: '/a', bytes: 1 },
      { op: 'write', path: '/a', bytes: 1 },
      { op: 'truncate', path: '/a', bytes: 3 },
    ]);
  });

  it('loses nothing with concurrent writes', async () => {
    await Promise.all([...'world'].map((letter, i) => tree.write('/a', Buffer.from(letter), i)));
    expect(await text('/a')).toBe('world');
  });

  it('hides removed entries, and shows recreated ones', async () => {
    await tree.unlink('/a');
    expect(await names('/')).toEqual(['sub']);
    expect(await text('/a')).toBe('ENOENT');
    await tree.create('/a', 0o644);
    expect(await text('/a')).toBe('');
    expect(await names('/')).toEqual(['a', 'sub']);
  });

  it('removes a directory only if it is empty, and a new one in its place is empty, too', async () => {
    expect(await tree.rmdir('/sub')).toEqual({ ok: false, errno: 'ENOTEMPTY' });
    await tree.unlink('/sub/b');
    expect(await tree.rmdir('/sub')).toEqual({ ok: true, value: undefined });
    await tree.mkdir('/sub', 0o755);
    expect(await names('/sub')).toEqual([]);
    expect(await text('/sub/b')).toBe('ENOENT');
    expect(changes.map(({ op }) => op)).toEqual(['unlink', 'rmdir', 'mkdir']);
  });

  it('hides the lower tree in a directory created in the place of a moved one', async () => {
    await tree.unlink('/sub/b');
    await tree.rmdir('/sub');
    await tree.mkdir('/sub', 0o755);
    await tree.rename('/sub', '/moved');
    await tree.mkdir('/sub', 0o755);
    expect(await tree.attributes('/sub/b')).toEqual({ ok: false, errno: 'ENOENT' });
    expect(await names('/sub')).toEqual([]);
  });

  it('moves a file of the lower tree with its contents', async () => {
    await tree.rename('/a', '/sub/moved');
    expect(await names('/')).toEqual(['sub']);
    expect(await names('/sub')).toEqual(['b', 'moved']);
    expect(await text('/sub/moved')).toBe('hello');
  });

  it('moves a created directory with its contents, but none of the lower tree', async () => {
    await tree.mkdir('/d', 0o755);
    await tree.create('/d/f', 0o644);
    await tree.rename('/d', '/e');
    expect([await names('/'), await names('/e')]).toEqual([['a', 'e', 'sub'], ['f']]);
    expect(await text('/d/f')).toBe('ENOENT');
    expect(await tree.rename('/sub', '/other')).toEqual({ ok: false, errno: 'EXDEV' });
    expect(await tree.rename('/e', '/sub')).toEqual({ ok: false, errno: 'ENOTEMPTY' });
  });

  it('changes the attributes of a file without changing its contents', async () => {
    await tree.chmod('/a', 0o100600);
    await tree.chown('/a', 7, 0xffffffff);
    await tree.utimens('/a', 42);
    expect(await tree.attributes('/a')).toMatchObject({
      value: { mode: 0o600, uid: 7, gid: 0, modifiedAt: 42, size: 5 },
    });
    expect(await text('/a')).toBe('hello');
  });

  it('does not report refused changes', async () => {
    expect(await tree.write('/absent', Buffer.from('x'), 0)).toEqual({ ok: false, errno: 'ENOENT' });
    expect(await tree.write('/sub', Buffer.from('x'), 0)).toEqual({ ok: false, errno: 'EISDIR' });
    expect(await tree.truncate('/a', 2 ** 40)).toEqual({ ok: false, errno: 'EFBIG' });
    expect(changes).toEqual([]);
  });
});
