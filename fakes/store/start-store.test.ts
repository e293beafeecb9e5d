import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { S3Client } from './s3/client.ts';
import { findMinio } from './start-minio-binary.ts';
import { startStore } from './start-store.ts';
import type { StoreOptions } from './store.ts';

const options = (more: Partial<StoreOptions>): StoreOptions => ({
  runId: `start-${process.pid}`,
  bucket: 'bucket',
  signal: new AbortController().signal,
  onProgress: () => undefined,
  environment: { PATH: '/nonexistent', DOCKER_HOST: 'unix:///nonexistent.sock' },
  ...more,
});

/** Processes that carry the run's id. */
function processesOf(runId: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`REKINDLE_RUN_ID=${runId}\0`);
    } catch {
      return false;
    }
  });
}

describe('startStore', () => {
  it('takes the embedded store where nothing else is to be had, and says why', async () => {
    const lines: string[] = [];
    await using store = await startStore(options({ onProgress: (line) => lines.push(line) }));
    expect(store.kind).toBe('embedded');
    expect(lines).toEqual([
      'the object store (minio-binary) cannot be started: no program minio is on the PATH',
      expect.stringContaining('the object store (minio-container) cannot be started: Docker does not answer'),
    ]);
  });

  it('rejects with the kind and the reason where the preferred one is not to be had', async () => {
    await expect(startStore(options({ prefer: 'minio-binary' }))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      kind: 'minio-binary',
      message: expect.stringContaining('no program minio is on the PATH'),
    });
  });

  it('makes up credentials for each run, and leaves no process behind', async () => {
    const first = await startStore(options({ runId: `first-${process.pid}` }));
    const second = await startStore(options({ runId: `second-${process.pid}` }));
    expect(first.accessKeySecret).not.toBe(second.accessKeySecret);
    expect(processesOf(`first-${process.pid}`)).toHaveLength(1);
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    expect(processesOf(`first-${process.pid}`)).toEqual([]);
  });

  it('shows its credentials neither in arguments nor in the environment', async () => {
    const runId = `secret-${process.pid}`;
    await using store = await startStore(options({ runId }));
    const [pid = ''] = processesOf(runId);
    const shown = readFileSync(`/proc/${pid}/environ`, 'utf8') + readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    expect(shown).toContain('embedded-main');
    expect(shown).not.toContain(store.accessKeySecret);
    expect(shown).not.toContain(store.accessKeyId);
  });

  it('stops waiting when it is aborted, and leaves nothing behind', async () => {
    const runId = `aborted-${process.pid}`;
    const abort = new AbortController();
    const started = startStore(options({ runId, signal: abort.signal, prefer: 'embedded' }));
    abort.abort(new Error('no longer wanted'));
    await expect(started).rejects.toThrow('no longer wanted');
    expect(processesOf(runId)).toEqual([]);
  });
});

describe('the embedded store', () => {
  it('fails as told until the fault is disposed of', async () => {
    await using store = await startStore(options({ prefer: 'embedded' }));
    using client = new S3Client({ address: store, credentials: store, timeoutMs: 200 });
    await store.putObject('key', Buffer.from('value'));
    const down = await store.injectFault?.({ kind: 'down' });
    expect(await client.get('key')).toMatchObject({ failure: { errno: 'EIO', code: 'ECONNRESET' } });
    await down?.[Symbol.asyncDispose]();
    expect(await client.get('key')).toMatchObject({ ok: true });
    const slow = await store.injectFault?.({ kind: 'slow', delayMs: 5_000 });
    expect(await client.get('key')).toMatchObject({ failure: { errno: 'ETIMEDOUT' } });
    await slow?.[Symbol.asyncDispose]();
    expect(await client.get('key')).toMatchObject({ ok: true });
  });
});

const minio = findMinio(process.env.PATH);
describe.skipIf(minio === undefined)(
  `the minio program${minio === undefined ? ', skipped: not on the PATH' : ''}`,
  () => {
    it('goes with its process, its children and its data', async () => {
      const runId = `minio-${process.pid}`;
      const store = await startStore(options({ runId, environment: process.env, prefer: 'minio-binary' }));
      const pids = processesOf(runId);
      expect(pids.length).toBeGreaterThanOrEqual(2);
      expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`rekindle-${runId}-`))).toHaveLength(1);
      await store[Symbol.asyncDispose]();
      expect(processesOf(runId)).toEqual([]);
      expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`rekindle-${runId}-`))).toEqual([]);
      expect(pids.some((pid) => existsSync(`/proc/${pid}`))).toBe(false);
    }, 60_000);
  },
);

describe('startStore with a program minio that does not work', () => {
  it('says at once what the program said, and leaves nothing behind', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'rekindle-bin-'));
    await using scope = new AsyncDisposableStack();
    scope.defer(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, 'minio'), '#!/bin/sh\necho "unable to bind" >&2\nexit 7\n', { mode: 0o755 });
    const runId = `broken-${process.pid}`;
    const environment = { PATH: `${directory}:/usr/bin:/bin` };
    await expect(startStore(options({ runId, environment, prefer: 'minio-binary' }))).rejects.toThrow(
      'the object store (minio-binary) cannot be started: it ended with 7: unable to bind',
    );
    expect(processesOf(runId)).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`rekindle-${runId}-`))).toEqual([]);
  });
});

describe("a store's process", () => {
  it('is gone with its children, though none of them ends with its standard input', async () => {
    const runId = `deaf-${process.pid}`;
    const script = 'trap "" TERM; sleep 600 & echo started; wait';
    const { startChild } = await import('./child.ts');
    const started = startChild({
      runId,
      command: ['/bin/sh', '-c', script],
      environment: { PATH: '/usr/bin:/bin' },
      graceMs: 50,
    });
    await once(started.child.stdout, 'data');
    expect(processesOf(runId)).toHaveLength(2);
    await started[Symbol.asyncDispose]();
    expect(processesOf(runId)).toEqual([]);
    expect(await started.ended).toContain('it ended with SIGKILL');
  });
});

describe('startStore without its parent', () => {
  it('ends with the standard input of its process, so also when its parent is killed', async () => {
    const { startChild } = await import('./child.ts');
    const runId = `orphan-${process.pid}`;
    const main = new URL('embedded-main.ts', import.meta.url).pathname;
    await using started = startChild({ runId, command: [process.execPath, main], environment: {} });
    started.child.stdin.write('{"credentials":{"accessKeyId":"a","accessKeySecret":"b"}}\n');
    await once(started.child.stdout, 'data');
    started.child.stdin.end();
    expect(await started.ended).toContain('it ended with 0');
  });
});
