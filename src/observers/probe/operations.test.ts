import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOperations } from './operations.ts';

const sum = (text: string) => createHash('sha256').update(text).digest('hex');

describe('a probe operation', () => {
  let path = '';
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'rekindle-operations-'));
    mkdirSync(join(path, 'deep'));
    writeFileSync(join(path, 'a.txt'), 'a');
    writeFileSync(join(path, 'deep/b.txt'), 'b');
  });
  afterEach(() => rmSync(path, { recursive: true }));
  const files = { 'a.txt': sum('a'), 'deep/b.txt': sum('b') };

  it('is ok where bytes, names and files are the expected ones', () => {
    const perform = createOperations({ path, files });
    for (const op of ['read', 'read', 'list', 'list', 'stat', 'stat'] as const) {
      expect(perform(op)).toEqual({ result: 'ok' });
    }
  });

  it('is EBADSUM where other bytes are read, in the turn of that file only', () => {
    writeFileSync(join(path, 'deep/b.txt'), 'B');
    const perform = createOperations({ path, files });
    expect([perform('read'), perform('read'), perform('read')].map(({ result }) => result)).toEqual([
      'ok',
      'EBADSUM',
      'ok',
    ]);
  });

  it('is EEMPTY where a listing lacks an expected name, below the top too', () => {
    rmSync(join(path, 'deep/b.txt'));
    const perform = createOperations({ path, files });
    expect([perform('list'), perform('list')].map(({ result }) => result).sort()).toEqual(['EEMPTY', 'ok']);
  });

  it('reads the directory where there is no file to be read, so that a dead mount does not pass for an empty one', () => {
    expect(createOperations({ path, files: {} })('read')).toEqual({ result: 'ok' });
    expect(createOperations({ path: join(path, 'gone'), files: {} })('read')).toMatchObject({ result: 'ENOENT' });
  });

  it('names errno and call where the system refuses', () => {
    rmSync(path, { recursive: true });
    const perform = createOperations({ path, files });
    expect(perform('read')).toEqual({ result: 'ENOENT', call: 'open' });
    expect(perform('list')).toEqual({ result: 'ENOENT', call: 'scandir' });
    expect(perform('stat')).toEqual({ result: 'ENOENT', call: 'stat' });
    mkdirSync(path);
  });
});
