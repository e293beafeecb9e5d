import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { exampleFolder } from './example-folder.ts';

test('removes folders of killed processes, and no others', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'rekindle-folders-'));
  using scope = new DisposableStack();
  scope.defer(() => rmSync(temporary, { recursive: true }));
  const ended = execa('true');
  await ended;
  const { pid: gone } = ended;
  const others = [`rekindle-docs-${process.ppid}-x`, 'rekindle-docs-x', 'rekindle-report-1-x'];
  for (const name of [`rekindle-docs-${gone}-x`, ...others]) mkdirSync(join(temporary, name));
  writeFileSync(join(temporary, `rekindle-docs-${gone}-x`, 'file'), 'x');
  const own = exampleFolder(temporary);
  expect(readdirSync(temporary).sort()).toEqual([basename(own), ...others].sort());
});
