import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findInFiles } from './find-in-files.ts';

const secret = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekindle-secrets-'));
  mkdirSync(join(folder, 'logs'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('findInFiles', () => {
  it('finds a secret in a file below the folder', () => {
    writeFileSync(join(folder, 'record.json'), '{}');
    writeFileSync(join(folder, 'logs/agent.log'), `connecting with ${secret}\n`);
    expect(findInFiles(folder, secret)).toEqual({ files: 2, found: ['logs/agent.log'] });
  });

  it('finds a base64-encoded secret', () => {
    writeFileSync(join(folder, 'logs/agent.log'), Buffer.from(secret).toString('base64'));
    expect(findInFiles(folder, secret).found).toEqual(['logs/agent.log']);
  });

  it.each([0, 1, 20, 39, 40])('finds a secret across two chunks, %s bytes before their border', (before) => {
    writeFileSync(join(folder, 'history.ndjson'), `${'x'.repeat((1 << 20) - before)}${secret}${'x'.repeat(99)}`);
    expect(findInFiles(folder, secret).found).toEqual(['history.ndjson']);
  });

  it('does not report a part of a secret', () => {
    writeFileSync(join(folder, 'record.json'), secret.slice(1));
    expect(findInFiles(folder, secret).found).toEqual([]);
  });
});

it('finds a secret in a text that is going to be written, in any encoding', () => {
  const texts = {
    'record.json': '{}',
    'plain.json': `x${secret}`,
    'encoded.json': Buffer.from(secret).toString('base64'),
  };
  expect(findInFiles(folder, secret, texts)).toMatchObject({ found: ['plain.json', 'encoded.json'] });
});
