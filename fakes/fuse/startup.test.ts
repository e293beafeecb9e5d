import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitWhileHeld } from './startup.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rekindle-hold-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('does not wait and emits nothing if there is no hold file', async () => {
  const events: string[] = [];
  await waitWhileHeld(join(folder, 'none'), (event) => events.push(event));
  expect(events).toEqual([]);
});

test('waits until the hold file is gone', async () => {
  const file = join(folder, 'ns.pod');
  writeFileSync(file, '');
  const held = Promise.withResolvers<void>();
  const events: string[] = [];
  const waiting = waitWhileHeld(file, (event) => {
    events.push(event);
    held.resolve();
  });
  await held.promise;
  expect(events).toEqual(['held']);
  rmSync(file);
  await waiting;
  expect(events).toEqual(['held', 'released']);
});
