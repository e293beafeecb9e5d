import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from './bundle.ts';
import { v8Flags } from './v8-flags.ts';

let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'rekindle-bundle-'));
  await bundle(directory);
});

afterAll(() => rmSync(directory, { recursive: true }));

describe('the bundle', () => {
  it('contains the agent, its children and the webhook', () => {
    expect(readdirSync(directory)).toEqual(
      expect.arrayContaining(['agent.mjs', 'prober.mjs', 'usage.mjs', 'webhook.mjs']),
    );
  });

  it('does not contain the models of the client library, which would cost most of its memory', () => {
    const text = readFileSync(join(directory, 'agent.mjs'), 'utf8');
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

  it('contains children that run on their own', () => {
    const usage = spawnSync(process.execPath, [...v8Flags, join(directory, 'usage.mjs')], {
      input: '"/"\n"/nowhere"\n',
      encoding: 'utf8',
    });
    expect(
      usage.stdout
        .trim()
        .split('\n')
        .map((line) => Object.keys(JSON.parse(line))),
    ).toEqual([['usage'], ['errno']]);
  });
});
