import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Client } from './s3/client.ts';
import { startStore } from './start-store.ts';
import type { Store, StoreKind } from './store.ts';

/** What every object store keeps, fake or real. `unavailable`: why this kind cannot be had here. */
export function storeContract(kind: StoreKind, unavailable: string | undefined): void {
  const title = unavailable === undefined ? `store (${kind})` : `store (${kind}), skipped: ${unavailable}`;
  describe.skipIf(unavailable !== undefined)(title, () => {
    let store: Store;
    let client: S3Client;
    const connect = (credentials: { accessKeyId: string; accessKeySecret: string }): S3Client =>
      new S3Client({ address: store, credentials, timeoutMs: 10_000 });

    beforeAll(async () => {
      store = await startStore({
        runId: `contract-${process.pid}`,
        bucket: 'contract',
        signal: new AbortController().signal,
        onProgress: () => undefined,
        environment: process.env,
        prefer: kind,
      });
      client = connect(store);
    }, 60_000);

    afterAll(async () => {
      client?.[Symbol.dispose]();
      await store?.[Symbol.asyncDispose]();
    });

    it('has the bucket, and says which kind it is', async () => {
      expect(store.kind).toBe(kind);
      expect(await client.headBucket()).toEqual({ ok: true, value: undefined });
    });

    it('gives back what was put, whole and by range', async () => {
      const body = Buffer.from('the quick brown fox');
      await store.putObject('files/fox', body);
      const etag = createHash('md5').update(body).digest('hex');
      expect(await client.get('files/fox')).toEqual({ ok: true, value: { bytes: body, etag } });
      expect(await client.get('files/fox', [4, 8])).toEqual({ ok: true, value: { bytes: Buffer.from('quick'), etag } });
      expect(await client.get('files/fox', [16, 999])).toMatchObject({ value: { bytes: Buffer.from('fox') } });
      expect(await client.head('files/fox')).toEqual({ ok: true, value: { size: body.byteLength, etag } });
    });

    it('refuses a range that begins behind the end', async () => {
      await store.putObject('files/short', Buffer.from('ab'));
      expect(await client.get('files/short', [2, 5])).toMatchObject({ failure: { code: 'InvalidRange', status: 416 } });
    });

    it('knows no object that was never put or was deleted', async () => {
      await store.putObject('files/once', Buffer.from('x'));
      expect(await client.delete('files/once')).toEqual({ ok: true, value: undefined });
      expect(await client.delete('files/once')).toEqual({ ok: true, value: undefined });
      expect(await client.get('files/once')).toMatchObject({ failure: { errno: 'ENOENT', code: 'NoSuchKey' } });
      expect(await client.head('files/once')).toMatchObject({ failure: { errno: 'ENOENT' } });
    });

    it('lists one level: objects, and prefixes for what is deeper', async () => {
      for (const key of ['tree/a', 'tree/b/1', 'tree/b/2', 'tree/b/c/3', 'tree/z', 'treehouse']) {
        await store.putObject(key, Buffer.from(key));
      }
      const listed = await client.list('tree/');
      expect(listed).toMatchObject({ ok: true, value: { prefixes: ['tree/b/'] } });
      const objects = listed.ok ? listed.value.objects : [];
      expect(objects.map(({ key, size }) => [key, size])).toEqual([
        ['tree/a', 6],
        ['tree/z', 6],
      ]);
      expect(objects.every(({ modifiedAt }) => Math.abs(modifiedAt - Date.now()) < 600_000)).toBe(true);
    });

    it('lists more than one page, each key once and in order', async () => {
      const keys = Array.from({ length: 1_203 }, (_, i) => `many/${String(i).padStart(5, '0')}`);
      for (let i = 0; i < keys.length; i += 50) {
        await Promise.all(keys.slice(i, i + 50).map((key) => store.putObject(key, Buffer.alloc(0))));
      }
      await store.putObject('many/00500d/x', Buffer.alloc(0));
      const listed = await client.list('many/');
      expect(listed.ok && listed.value.objects.map(({ key }) => key)).toEqual(keys);
      expect(listed.ok && listed.value.prefixes).toEqual(['many/00500d/']);
    }, 60_000);

    it.each(['a b+c', 'ä€😀', `q"u'o<t>e&s`, '(1)!*~', '50%25', 'tab\there'])('keeps the key %j', async (name) => {
      const prefix = `names/${Buffer.from(name).toString('hex')}/`;
      await store.putObject(`${prefix}${name}`, Buffer.from(name));
      const listed = await client.list(prefix);
      expect(listed.ok && listed.value.objects.map(({ key }) => key)).toEqual([`${prefix}${name}`]);
      expect(await client.get(`${prefix}${name}`)).toMatchObject({ value: { bytes: Buffer.from(name) } });
    });

    it('refuses a wrong secret and an unknown key id, each by its name', async () => {
      using wrong = connect({ ...store, accessKeySecret: 'not-the-secret' });
      expect(await wrong.list('')).toMatchObject({ failure: { errno: 'EACCES', code: 'SignatureDoesNotMatch' } });
      expect(await wrong.put('x', Buffer.from('x'))).toMatchObject({ failure: { errno: 'EACCES' } });
      using unknown = connect({ accessKeyId: 'nobody-at-all', accessKeySecret: store.accessKeySecret });
      expect(await unknown.list('')).toMatchObject({ failure: { errno: 'EACCES', code: 'InvalidAccessKeyId' } });
    });

    it('says that a bucket is not there', async () => {
      using other = new S3Client({ address: { ...store, bucket: 'no-such' }, credentials: store, timeoutMs: 10_000 });
      expect(await other.list('')).toMatchObject({ failure: { errno: 'EIO', code: 'NoSuchBucket' } });
    });

    it('refuses a bucket name that S3 does not allow', async () => {
      using other = new S3Client({ address: { ...store, bucket: 'X' }, credentials: store, timeoutMs: 10_000 });
      expect(await other.createBucket()).toMatchObject({ failure: { code: 'InvalidBucketName' } });
    });
  });
}
