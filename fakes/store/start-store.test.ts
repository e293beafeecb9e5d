import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type StoreOptions, startStore, startStoreProcess } from './start-store.ts';

const options = (more: Partial<StoreOptions>): StoreOptions => ({
  runId: `start-${process.pid}`,
  bucket: 'bucket',
  signal: new AbortController().signal,
  environment: { PATH: '/nonexistent' },
  ...more,
});

/** Processes with the run's id in their environment. */
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
  it('uses new credentials for each run, and leaves no process behind', async () => {
    const first = await startStore(options({ runId: `first-${process.pid}` }));
    const second = await startStore(options({ runId: `second-${process.pid}` }));
    expect(first.accessKeySecret).not.toBe(second.accessKeySecret);
    expect(processesOf(`first-${process.pid}`)).toHaveLength(1);
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    expect(processesOf(`first-${process.pid}`)).toEqual([]);
  });

  it('exposes its credentials neither in arguments nor in the environment', async () => {
    const runId = `secret-${process.pid}`;
    await using store = await startStore(options({ runId }));
    const [pid = ''] = processesOf(runId);
    const shown = readFileSync(`/proc/${pid}/environ`, 'utf8') + readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    expect(shown).toContain('embedded-main');
    expect(shown).not.toContain(store.accessKeySecret);
    expect(shown).not.toContain(store.accessKeyId);
  });

  it('stops waiting when it is aborted, and leaves no process behind', async () => {
    const runId = `aborted-${process.pid}`;
    const abort = new AbortController();
    const started = startStore(options({ runId, signal: abort.signal }));
    abort.abort(new Error('no longer wanted'));
    await expect(started).rejects.toThrow('no longer wanted');
    expect(processesOf(runId)).toEqual([]);
  });
});

describe("a store's process", () => {
  it('is killed with its children if they ignore the end of standard input', async () => {
    const runId = `deaf-${process.pid}`;
    const script = 'trap "" TERM; sleep 600 & echo started; wait';
    const started = startStoreProcess({
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

describe('a store without its parent', () => {
  it('ends when its standard input is closed, so also when its parent is killed', async () => {
    const runId = `orphan-${process.pid}`;
    const main = fileURLToPath(new URL('embedded-main.ts', import.meta.url));
    await using started = startStoreProcess({ runId, command: [process.execPath, main], environment: {} });
    started.child.stdin.write('{"credentials":{"accessKeyId":"a","accessKeySecret":"b"}}\n');
    await once(started.child.stdout, 'data');
    started.child.stdin.end();
    expect(await started.ended).toContain('it ended with 0');
  });
});
