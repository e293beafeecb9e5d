import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOperations, dueAfter, operationOf } from './operations.ts';

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

  it('is ok if bytes, names and files are as expected', () => {
    const perform = createOperations({ path, files });
    for (const op of ['read', 'read', 'list', 'list', 'stat', 'stat'] as const) {
      expect(perform(op)).toEqual({ result: 'ok' });
    }
  });

  it('is EBADSUM for a file with other bytes, and only for that file', () => {
    writeFileSync(join(path, 'deep/b.txt'), 'B');
    const perform = createOperations({ path, files });
    expect([perform('read'), perform('read'), perform('read')].map(({ result }) => result)).toEqual([
      'ok',
      'EBADSUM',
      'ok',
    ]);
  });

  it('is EEMPTY if a listing lacks an expected name, in a subdirectory too', () => {
    rmSync(join(path, 'deep/b.txt'));
    const perform = createOperations({ path, files });
    expect([perform('list'), perform('list')].map(({ result }) => result).sort()).toEqual(['EEMPTY', 'ok']);
  });

  it('reads the directory if there are no files, so that a dead mount does not look empty', () => {
    expect(createOperations({ path, files: {} })('read')).toEqual({ result: 'ok' });
    expect(createOperations({ path: join(path, 'gone'), files: {} })('read')).toMatchObject({ result: 'ENOENT' });
  });

  it('returns errno and call of a system error', () => {
    rmSync(path, { recursive: true });
    const perform = createOperations({ path, files });
    expect(perform('read')).toEqual({ result: 'ENOENT', call: 'open' });
    expect(perform('list')).toEqual({ result: 'ENOENT', call: 'scandir' });
    expect(perform('stat')).toEqual({ result: 'ENOENT', call: 'stat' });
    mkdirSync(path);
  });
});

describe('the probe’s schedule', () => {
  const ten = (lists: boolean) => Array.from({ length: 10 }, (_, slot) => operationOf(slot, { lists })).sort();

  it('reads in eight of ten slots, lists in one and stats in one', () => {
    expect(ten(true)).toEqual(['list', ...Array(8).fill('read'), 'stat']);
  });

  it('reads instead of listing if a listing would look like a hang', () => {
    expect(ten(false)).toEqual([...Array(9).fill('read'), 'stat']);
  });

  it('does not drift if the period is not a whole number of nanoseconds', () => {
    expect(dueAfter(3 * 3_600, 3)).toBe(3_600_000_000_000n);
    expect(dueAfter(1, 200)).toBe(5_000_000n);
  });
});
