import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { foreignPrograms } from './tarball.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekindle-programs-'));
  for (const place of ['a/node_modules/.bin', 'b', 'c']) {
    mkdirSync(join(folder, place), { recursive: true });
    writeFileSync(join(folder, place, 'node'), '');
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a PATH without a compiler has the first of each program that no package brought, and nothing else', () => {
  const path = [join(folder, 'a/node_modules/.bin'), join(folder, 'b'), join(folder, 'c')].join(':');
  const made = foreignPrograms(['node'], join(folder, 'made'), path);
  expect(readdirSync(made)).toEqual(['node']);
  expect(readlinkSync(join(made, 'node'))).toBe(join(folder, 'b/node'));
  expect(() => foreignPrograms(['gcc'], join(folder, 'more'), path)).toThrow('no gcc on the PATH');
});
