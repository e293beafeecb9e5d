import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeTree } from './remove-tree.ts';

let base: string;
let outside: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'rekindle-remove-tree-'));
  outside = join(base, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'kept'), '');
});

afterEach(() => {
  unlinkSync(join(outside, 'kept'));
  rmdirSync(outside);
  rmdirSync(base);
});

test('removes a tree with files, closed directories and links, and follows no link', () => {
  const tree = join(base, 'tree');
  mkdirSync(join(tree, 'closed'), { recursive: true });
  writeFileSync(join(tree, 'closed', 'file'), 'x');
  chmodSync(join(tree, 'closed'), 0o500);
  symlinkSync(outside, join(tree, 'link'));
  expect(removeTree(tree)).toEqual([]);
  expect(existsSync(tree)).toBe(false);
  expect(existsSync(join(outside, 'kept'))).toBe(true);
});

test('removes a link by itself, and not what it points to', () => {
  const link = join(base, 'link');
  symlinkSync(outside, link);
  expect(removeTree(link)).toEqual([]);
  expect(existsSync(join(outside, 'kept'))).toBe(true);
});

test('what is gone already is no leftover', () => {
  expect(removeTree(join(base, 'missing'))).toEqual([]);
});
