import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StoreFailure, StoreResult } from '../store/s3-client.ts';
import { BlockCache, type BucketSource, BucketTree } from './bucket-tree.ts';
import type { FileNode } from './tree.ts';

/** A bucket in memory that counts what it is asked. */
class Bucket implements BucketSource {
  readonly objects = new Map<string, { body: Buffer; etag: string }>();
  readonly asked: string[] = [];
  failure: StoreFailure | undefined;

  async list(prefix: string): ReturnType<BucketSource['list']> {
    this.asked.push(`list ${prefix}`);
    if (this.failure !== undefined) return { ok: false, failure: this.failure };
    const keys = [...this.objects].filter(([key]) => key.startsWith(prefix));
    const objects = keys
      .filter(([key]) => !key.slice(prefix.length).includes('/'))
      .map(([key, { body, etag }]) => ({ key, size: body.byteLength, modifiedAt: 0, etag }));
    const deeper = keys.filter(([key]) => key.slice(prefix.length).includes('/'));
    const prefixes = deeper.map(([key]) => key.slice(0, key.indexOf('/', prefix.length) + 1));
    return { ok: true, value: { objects, prefixes: [...new Set(prefixes)] } };
  }

  async get(
    key: string,
    [first, last]: readonly [number, number],
  ): Promise<StoreResult<{ bytes: Buffer; etag: string }>> {
    this.asked.push(`get ${key} ${first}-${last}`);
    const object = this.objects.get(key);
    const failure = this.failure ?? { errno: 'ENOENT', code: 'NoSuchKey', status: 404 };
    if (object === undefined || this.failure !== undefined) return { ok: false, failure };
    return { ok: true, value: { bytes: object.body.subarray(first, last + 1), etag: object.etag } };
  }
}

const blockBytes = 128 * 1024;

describe('BucketTree', () => {
  let bucket: Bucket;
  let tree: BucketTree;
  let clock: number;
  let storeResults: (string | undefined)[];

  beforeEach(() => {
    bucket = new Bucket();
    clock = 0;
    storeResults = [];
    tree = new BucketTree({
      source: bucket,
      prefix: 'dir/',
      now: () => clock,
      onStoreResult: (failure) => storeResults.push(failure?.code),
    });
  });

  const put = (key: string, body: Buffer, etag = key): void => {
    bucket.objects.set(key, { body, etag });
  };
  const file = async (path: string): Promise<FileNode> => {
    const entry = await tree.entry(path);
    if (!entry.ok || entry.value.kind !== 'file') throw new Error(`${path} is not a file`);
    return entry.value;
  };

  it('finds files and directories below its prefix', async () => {
    put('dir/a', Buffer.from('abc'));
    put('dir/sub/deep/b', Buffer.from('b'));
    put('outside', Buffer.from('x'));
    expect(await tree.entry('/a')).toMatchObject({ value: { kind: 'file', size: 3 } });
    expect(await tree.entry('/sub')).toEqual({ ok: true, value: { kind: 'directory' } });
    expect(await tree.entry('/sub/deep/b')).toMatchObject({ value: { key: 'dir/sub/deep/b' } });
    expect(await tree.entry('/outside')).toEqual({ ok: false, errno: 'ENOENT' });
  });

  it('resolves its root without the store', async () => {
    expect(await tree.entry('/')).toEqual({ ok: true, value: { kind: 'directory' } });
    expect(bucket.asked).toEqual([]);
  });

  it('lists a directory once a second, even if several callers ask at once', async () => {
    put('dir/a', Buffer.from('abc'));
    await Promise.all([tree.entry('/a'), tree.entry('/b'), tree.directory('/')]);
    clock = 999;
    await tree.entry('/a');
    expect(bucket.asked).toEqual(['list dir/']);
    clock = 1_000;
    put('dir/b', Buffer.from('new'));
    expect(await tree.entry('/b')).toMatchObject({ ok: true });
    expect(bucket.asked).toEqual(['list dir/', 'list dir/']);
  });

  it('does not cache a failure', async () => {
    bucket.failure = { errno: 'ETIMEDOUT', code: 'ETIMEDOUT', status: undefined };
    expect(await tree.entry('/a')).toEqual({ ok: false, errno: 'ETIMEDOUT' });
    bucket.failure = undefined;
    put('dir/a', Buffer.from('abc'));
    expect(await tree.entry('/a')).toMatchObject({ ok: true });
    expect(storeResults).toEqual(['ETIMEDOUT', undefined]);
  });

  it.each([
    [0, 10],
    [blockBytes - 5, 10],
    [blockBytes - 1, blockBytes + 2],
    [2 * blockBytes + 90, 500],
    [2 * blockBytes + 100, 10],
    [9 * blockBytes, 10],
  ])('reads from offset %i up to %i bytes', async (offset, length) => {
    const body = Buffer.from(Array.from({ length: 2 * blockBytes + 100 }, (_, i) => (i * 31) % 253));
    put('dir/big', body);
    const into = Buffer.alloc(length);
    const expected = body.subarray(offset, offset + length);
    expect(await tree.read(await file('/big'), into, offset)).toEqual({ ok: true, value: expected.byteLength });
    expect(into.subarray(0, expected.byteLength).equals(expected)).toBe(true);
  });

  it('fetches a block once, and again if the object has changed', async () => {
    put('dir/a', Buffer.from('old'), 'v1');
    const into = Buffer.alloc(3);
    await tree.read(await file('/a'), into, 0);
    await tree.read(await file('/a'), into, 1);
    put('dir/a', Buffer.from('new'), 'v2');
    clock = 1_000;
    await tree.read(await file('/a'), into, 0);
    expect(into.toString()).toBe('new');
    expect(bucket.asked).toEqual(['list dir/', 'get dir/a 0-2', 'list dir/', 'get dir/a 0-2']);
  });

  it('fetches a block once for concurrent reads', async () => {
    put('dir/a', Buffer.from('abc'));
    const entry = await file('/a');
    await Promise.all([tree.read(entry, Buffer.alloc(3), 0), tree.read(entry, Buffer.alloc(2), 1)]);
    expect(bucket.asked).toEqual(['list dir/', 'get dir/a 0-2']);
  });

  it('has the root and the first blocks of its first files in the cache after prefetching', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'sub/f']) put(`dir/${name}`, Buffer.from(name));
    put('dir/.empty', Buffer.alloc(0));
    await tree.prefetch();
    const asked = ['list dir/', 'get dir/a 0-0', 'get dir/b 0-0', 'get dir/c 0-0', 'get dir/d 0-0'];
    expect(bucket.asked).toEqual(asked);
    await tree.read(await file('/a'), Buffer.alloc(1), 0);
    expect(bucket.asked).toEqual(asked);
  });

  it('tolerates a failure of the store while prefetching', async () => {
    bucket.failure = { errno: 'EIO', code: 'ECONNREFUSED', status: undefined };
    await expect(tree.prefetch()).resolves.toBeUndefined();
  });

  it('does not cache bytes of another version than the listed one', async () => {
    put('dir/a', Buffer.from('old'), 'v1');
    const old = await file('/a');
    put('dir/a', Buffer.from('newer'), 'v2');
    await tree.read(old, Buffer.alloc(3), 0);
    put('dir/a', Buffer.from('old'), 'v1');
    const into = Buffer.alloc(3);
    await tree.read(await file('/a'), into, 0);
    expect(into.toString()).toBe('old');
  });

  it('fails a read with the errno of the store', async () => {
    put('dir/a', Buffer.from('abc'));
    const entry = await file('/a');
    bucket.failure = { errno: 'EACCES', code: 'AccessDenied', status: 403 };
    expect(await tree.read(entry, Buffer.alloc(3), 0)).toEqual({ ok: false, errno: 'EACCES' });
  });
});

describe('BlockCache', () => {
  it('drops the least recently used block', () => {
    const cache = new BlockCache(3);
    cache.set('a', Buffer.from('1'));
    cache.set('b', Buffer.from('2'));
    cache.set('c', Buffer.from('3'));
    cache.get('a');
    cache.set('d', Buffer.from('4'));
    expect(['a', 'b', 'c', 'd'].filter((id) => cache.get(id) !== undefined)).toEqual(['a', 'c', 'd']);
  });

  it('counts a replaced block once', () => {
    const cache = new BlockCache(10);
    cache.set('a', Buffer.alloc(4));
    cache.set('a', Buffer.alloc(6));
    expect(cache.bytes).toBe(6);
    expect(cache.get('a')?.byteLength).toBe(6);
  });

  it('never exceeds its bound, and counts the cached bytes', () => {
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
