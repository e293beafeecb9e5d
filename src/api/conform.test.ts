import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { conform, readRecord, UnreadableRun } from '../index.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-api-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

test('a wrong argument is told as the command tells it', async () => {
  await expect(conform({ cwd, profile: 'no-such' })).rejects.toMatchObject({
    code: 'USAGE',
    status: 2,
    message: 'unknown profile "no-such": accepted are ack-fluid, fluid, rekindle, the path of a YAML file',
  });
});

test('what the command prints is handed on', async () => {
  const said: string[] = [];
  await expect(conform({ cwd, tags: '@No', onOutput: (text) => said.push(text) })).rejects.toThrow('@No');
  expect(said.join('')).toMatch(/^rekindle: .*@No/);
});

test('nothing is started for a signal that is aborted already', async () => {
  const reason = new Error('not any more');
  await expect(conform({ cwd, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('an aborted run is rejected with the reason of the signal', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const running = conform({ cwd, tags: '@C2', signal: stop.signal, onOutput: () => stop.abort(reason) });
  await expect(running).rejects.toBe(reason);
});

test('a folder without a run is no run', async () => {
  await expect(readRecord(cwd)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(new UnreadableRun(['x']).code).toBe('UNREADABLE_RUN');
});
