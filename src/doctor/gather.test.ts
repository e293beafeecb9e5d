import { chmodSync, mkdtempSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gather, programOnPath } from './gather.ts';

test('describes this machine and leaves nothing in the folder of temporary files', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'rekindle-gather-'));
  const facts = await gather({ env: { PATH: process.env.PATH }, temporary });
  expect(facts).toMatchObject({
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.version,
    koffi: { ok: true },
    fuseNative: { ok: true },
    temporary: { path: temporary, writable: { ok: true } },
  });
  expect(facts.temporary.freeBytes).toBeGreaterThan(0);
  rmdirSync(temporary);
});

test('reports the errno of a folder of temporary files that does not exist', async () => {
  const facts = await gather({ env: { PATH: '/nowhere' }, temporary: '/nowhere' });
  expect(facts.temporary).toEqual({ path: '/nowhere', writable: { ok: false, says: 'ENOENT' }, freeBytes: 0 });
  expect(facts.unshareProgram).toBe(false);
  expect(facts.namespaces.ok).toBe(false);
});

test('finds a program in the first folder of the PATH in which it is executable', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-path-'));
  const program = join(folder, 'tool');
  writeFileSync(program, '');
  expect(programOnPath('tool', { PATH: `/nowhere:${folder}` })).toBeUndefined();
  chmodSync(program, 0o755);
  expect(programOnPath('tool', { PATH: `/nowhere:${folder}` })).toBe(program);
  unlinkSync(program);
  rmdirSync(folder);
});
