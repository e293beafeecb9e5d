import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './bundle.ts';
import { v8Flags } from './v8-flags.ts';

let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rekindle-bundle-'));
  await bundle(directory);
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true }));

describe('the bundle', () => {
  it('contains the agent, its children and the webhook', () => {
    expect(readdirSync(directory)).toEqual(expect.arrayContaining(['agent.mjs', 'prober.mjs', 'webhook.mjs']));
  });

  it('does not contain the models of the client library, which would cost most of its memory', () => {
    const parts = readdirSync(directory).filter((name) => /^(agent|run)\b.*\.mjs$/.test(name));
    const text = parts.map((name) => readFileSync(join(directory, name), 'utf8')).join('');
    expect(text).toContain('loadFromCluster');
    expect(text).not.toContain('V1StatefulSetSpec');
  });

  it('contains a webhook that runs on its own', () => {
    const help = spawnSync(process.execPath, [...v8Flags, join(directory, 'webhook.mjs'), '--help'], {
      encoding: 'utf8',
    });
    expect({ status: help.status, said: help.stdout }).toEqual({
      status: 0,
      said: expect.stringContaining('--register='),
    });
    expect(readFileSync(join(directory, 'webhook.mjs'), 'utf8')).not.toContain('V1StatefulSetSpec');
  });

  it('contains a prober that runs on its own', () => {
    symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(directory, 'node_modules'));
    const prober = spawnSync(process.execPath, [join(directory, 'prober.mjs')], { input: '', encoding: 'utf8' });
    expect({ status: prober.status, printed: prober.stdout }).toEqual({ status: 0, printed: 'ready\n' });
  });
});
