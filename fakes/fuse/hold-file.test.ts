import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { released } from './hold-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekindle-hold-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('nothing is waited for and nothing told where there is no hold', async () => {
  const told: string[] = [];
  await released(join(folder, 'none'), (event) => told.push(event));
  expect(told).toEqual([]);
});

test('a hold is waited for until its file is gone', async () => {
  const file = join(folder, 'ns.pod');
  writeFileSync(file, '');
  const held = Promise.withResolvers<void>();
  const told: string[] = [];
  const waiting = released(file, (event) => {
    told.push(event);
    held.resolve();
  });
  await held.promise;
  expect(told).toEqual(['held']);
  rmSync(file);
  await waiting;
  expect(told).toEqual(['held', 'released']);
});
