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

test('reports a wrong argument with the message of the command', async () => {
  await expect(conform({ cwd, profile: 'no-such' })).rejects.toMatchObject({
    code: 'USAGE',
    status: 2,
    message: 'bad profile no-such: no such profile; known: ack-fluid, fluid, rekindle, or the path of a YAML file',
  });
});

test('passes on what the command prints', async () => {
  const output: string[] = [];
  await expect(conform({ cwd, tags: '@No', onOutput: (text) => output.push(text) })).rejects.toThrow('@No');
  expect(output.join('')).toMatch(/^rekindle: .*@No/);
});

test('starts nothing if the signal is already aborted', async () => {
  const reason = new Error('not any more');
  await expect(conform({ cwd, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('rejects an aborted run with the reason of the signal', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const running = conform({ cwd, tags: '@C2', signal: stop.signal, onOutput: () => stop.abort(reason) });
  await expect(running).rejects.toBe(reason);
});

test('rejects a folder without a run', async () => {
  await expect(readRecord(cwd)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(new UnreadableRun(['x']).code).toBe('UNREADABLE_RUN');
});
