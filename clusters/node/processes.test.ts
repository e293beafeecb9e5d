import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findProcesses } from './processes.ts';

it('finds processes by their command line, and neither kernel threads nor those that have ended', async () => {
  const proc = await mkdtemp(join(tmpdir(), 'rekindle-proc-'));
  try {
    for (const [pid, text] of [
      ['9', 's3fs\0bucket\0/pods/a/mount\0'],
      ['12', 's3fs\0bucket\0/pods/b/mount\0'],
      ['14', ''],
    ] as const) {
      mkdirSync(join(proc, pid));
      writeFileSync(join(proc, pid, 'cmdline'), text);
    }
    mkdirSync(join(proc, '15'));
    mkdirSync(join(proc, 'sys'));
    expect(findProcesses('^s3fs .*/pods/b/', proc)).toEqual([{ pid: 12, command: 's3fs bucket /pods/b/mount' }]);
    expect(findProcesses('.*', proc).map(({ pid }) => pid)).toEqual([9, 12]);
  } finally {
    await rm(proc, { recursive: true });
  }
});
