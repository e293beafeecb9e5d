import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import aws4 from 'aws4';
import { execa, execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCredentials } from './credentials.ts';
import { S3Client, signRequest } from './s3-client.ts';
import { type Store, startStore } from './start-store.ts';

const bucket = 'contract';

/** MinIO on a free port, with a bucket; its data is removed when it is disposed of. */
async function startMinio(): Promise<Store> {
  await using scope = new AsyncDisposableStack();
  const data = await mkdtemp(join(tmpdir(), 'rekindle-minio-'));
  scope.defer(() => rm(data, { recursive: true }));
  const credentials = createCredentials();
  const port = await findFreePort();
  const env = {
    PATH: process.env.PATH,
    HOME: data,
    MINIO_ROOT_USER: credentials.accessKeyId,
    MINIO_ROOT_PASSWORD: credentials.accessKeySecret,
  };
  const args = ['server', '--quiet', '--address', `127.0.0.1:${port}`, data];
  const minio = execa('minio', args, { env, extendEnv: false, stdio: 'ignore', reject: false });
  scope.defer(async () => {
    minio.kill();
    await minio;
  });
  const address = { endpoint: `http://127.0.0.1:${port}`, bucket };
  const client = scope.use(new S3Client({ address, credentials, timeoutMs: 10_000 }));
  while (!(await client.createBucket()).ok) await delay(20);
  const owned = scope.move();
  return {
    ...address,
    ...credentials,
    putObject: async (key, body) => void expect((await client.put(key, body)).ok).toBe(true),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const startEmbedded = (): Promise<Store> =>
  startStore({
    runId: `contract-${process.pid}`,
    bucket,
    signal: new AbortController().signal,
    environment: process.env,
  });

const hasMinio = execaSync('minio', ['--version'], { reject: false }).exitCode === 0;

describe.each([
  { name: 'the embedded store', start: startEmbedded, isAvailable: true },
  { name: `MinIO${hasMinio ? '' : ', skipped: not on the PATH'}`, start: startMinio, isAvailable: hasMinio },
])('$name', ({ start, isAvailable }) => {
  describe.skipIf(!isAvailable)('as an object store', () => {
    let store: Store;
    let client: S3Client;
    const connect = (credentials: { accessKeyId: string; accessKeySecret: string }): S3Client =>
      new S3Client({ address: store, credentials, timeoutMs: 10_000 });

    beforeAll(async () => {
      store = await start();
      client = connect(store);
    }, 60_000);

    afterAll(async () => {
      client?.[Symbol.dispose]();
      await store?.[Symbol.asyncDispose]();
    });

    it('has the bucket', async () => {
      expect(await client.headBucket()).toEqual({ ok: true, value: undefined });
    });

    it('returns an object, whole and by range', async () => {
      const body = Buffer.from('the quick brown fox');
      await store.putObject('files/fox', body);
      const etag = createHash('md5').update(body).digest('hex');
      expect(await client.get('files/fox')).toEqual({ ok: true, value: { bytes: body, etag } });
      expect(await client.get('files/fox', [4, 8])).toEqual({ ok: true, value: { bytes: Buffer.from('quick'), etag } });
      expect(await client.get('files/fox', [16, 999])).toMatchObject({ value: { bytes: Buffer.from('fox') } });
      expect(await client.head('files/fox')).toEqual({ ok: true, value: { size: body.byteLength, etag } });
    });

    it('refuses a range that starts after the end', async () => {
      await store.putObject('files/short', Buffer.from('ab'));
      expect(await client.get('files/short', [2, 5])).toMatchObject({ failure: { code: 'InvalidRange', status: 416 } });
    });

    it('does not find an object that was never put or was deleted', async () => {
      await store.putObject('files/once', Buffer.from('x'));
      expect(await client.delete('files/once')).toEqual({ ok: true, value: undefined });
      expect(await client.delete('files/once')).toEqual({ ok: true, value: undefined });
      expect(await client.get('files/once')).toMatchObject({ failure: { errno: 'ENOENT', code: 'NoSuchKey' } });
      expect(await client.head('files/once')).toMatchObject({ failure: { errno: 'ENOENT' } });
    });

    it('lists one level: objects, and prefixes of deeper ones', async () => {
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

    it('lists several pages, each key once and in order', async () => {
      const keys = Array.from({ length: 1_203 }, (_, i) => `many/${String(i).padStart(5, '0')}`);
      for (let i = 0; i < keys.length; i += 50) {
        await Promise.all(keys.slice(i, i + 50).map((key) => store.putObject(key, Buffer.alloc(0))));
      }
      await store.putObject('many/00500d/x', Buffer.alloc(0));
      const listed = await client.list('many/');
      expect(listed.ok && listed.value.objects.map(({ key }) => key)).toEqual(keys);
      expect(listed.ok && listed.value.prefixes).toEqual(['many/00500d/']);
    }, 60_000);

    it('lists with version 1 of ListObjects, as s3fs does, page by page', async () => {
      for (const key of ['v1/a', 'v1/b/1', 'v1/c']) await store.putObject(key, Buffer.from(key));
      const listFrom = async (marker: string): Promise<string> => {
        const query = { prefix: 'v1/', delimiter: '/', 'max-keys': '2', marker };
        const { path, headers } = signRequest(store, store, { method: 'GET', query }, new Date());
        return (await fetch(`${store.endpoint}${path}`, { headers })).text();
      };
      const first = await listFrom('');
      expect(first).toMatch(/<Key>v1\/a<.*<Prefix>v1\/b\/</s);
      expect(first).toContain('<IsTruncated>true<');
      expect(first).not.toContain('<Key>v1/c<');
      const [, marker = ''] = /<NextMarker>(.*?)</.exec(first) ?? [];
      const second = await listFrom(marker);
      expect(second).toContain('<Key>v1/c<');
      expect(second).not.toContain('<Key>v1/a<');
      expect(second).toContain('<IsTruncated>false<');
    });

    /** A request that our own client has no use for, but clients of others send. */
    const ask = async (
      method: string,
      path: string,
      { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {},
    ): Promise<string> => {
      const { host } = new URL(store.endpoint);
      const request = { service: 's3', region: 'us-east-1', method, path: `/${bucket}${path}`, headers, host };
      const credentials = { accessKeyId: store.accessKeyId, secretAccessKey: store.accessKeySecret };
      const signed = aws4.sign({ ...request, ...(body !== undefined && { body }) }, credentials);
      const { Host: _, 'Content-Length': __, ...sent } = signed.headers as Record<string, string>;
      const response = await fetch(`${store.endpoint}${signed.path}`, { method, headers: sent, ...(body && { body }) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status}: ${text}`);
      return text;
    };

    it('has no region but the default', async () => {
      expect(await ask('GET', '?location')).toMatch(
        /<LocationConstraint xmlns="[^"]*"\s*(\/>|><\/LocationConstraint>)/,
      );
    });

    it('copies an object', async () => {
      await store.putObject('copies/a b', Buffer.from('content'));
      const answer = await ask('PUT', '/copies/c', { headers: { 'x-amz-copy-source': `/${bucket}/copies/a%20b` } });
      expect(answer).toMatch(/<CopyObjectResult.*<ETag>.*<LastModified>|<CopyObjectResult.*<LastModified>.*<ETag>/s);
      expect(await client.get('copies/c')).toMatchObject({ value: { bytes: Buffer.from('content') } });
      const missing = ask('PUT', '/copies/d', { headers: { 'x-amz-copy-source': `/${bucket}/copies/none` } });
      await expect(missing).rejects.toThrow('NoSuchKey');
    });

    it('deletes several objects at once, and those that are not there', async () => {
      for (const key of ['bulk/1', 'bulk/<2>', 'bulk/3']) await store.putObject(key, Buffer.from(key));
      const keys = ['bulk/1', 'bulk/&lt;2&gt;', 'bulk/none'].map((key) => `<Object><Key>${key}</Key></Object>`);
      const body = `<Delete>${keys.join('')}</Delete>`;
      const headers = { 'Content-MD5': createHash('md5').update(body).digest('base64') };
      expect(await ask('POST', '?delete', { headers, body })).toContain('<Key>bulk/1</Key>');
      const listed = await client.list('bulk/');
      expect(listed.ok && listed.value.objects.map(({ key }) => key)).toEqual(['bulk/3']);
    });

    it.each(['a b+c', 'ä€😀', `q"u'o<t>e&s`, '(1)!*~', '50%25', 'tab\there'])('keeps the key %j', async (name) => {
      const prefix = `names/${Buffer.from(name).toString('hex')}/`;
      await store.putObject(`${prefix}${name}`, Buffer.from(name));
      const listed = await client.list(prefix);
      expect(listed.ok && listed.value.objects.map(({ key }) => key)).toEqual([`${prefix}${name}`]);
      expect(await client.get(`${prefix}${name}`)).toMatchObject({ value: { bytes: Buffer.from(name) } });
    });

    it('distinguishes a wrong secret from an unknown key id', async () => {
      using wrong = connect({ ...store, accessKeySecret: 'not-the-secret' });
      expect(await wrong.list('')).toMatchObject({ failure: { errno: 'EACCES', code: 'SignatureDoesNotMatch' } });
      expect(await wrong.put('x', Buffer.from('x'))).toMatchObject({ failure: { errno: 'EACCES' } });
      using unknown = connect({ accessKeyId: 'nobody-at-all', accessKeySecret: store.accessKeySecret });
      expect(await unknown.list('')).toMatchObject({ failure: { errno: 'EACCES', code: 'InvalidAccessKeyId' } });
    });

    it('reports that a bucket does not exist', async () => {
      using other = new S3Client({ address: { ...store, bucket: 'no-such' }, credentials: store, timeoutMs: 10_000 });
      expect(await other.list('')).toMatchObject({ failure: { errno: 'EIO', code: 'NoSuchBucket' } });
    });

    it('refuses an invalid bucket name', async () => {
      using other = new S3Client({ address: { ...store, bucket: 'X' }, credentials: store, timeoutMs: 10_000 });
      expect(await other.createBucket()).toMatchObject({ failure: { code: 'InvalidBucketName' } });
    });
  });
});
