import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findProcesses } from './processes.ts';

let proc: string;
beforeEach(async () => {
  proc = await mkdtemp(join(tmpdir(), 'rekindle-proc-'));
});
afterEach(() => rm(proc, { recursive: true }));

function addProcess(pid: string, commandLine: string, children = ''): void {
  mkdirSync(join(proc, pid, 'task', pid), { recursive: true });
  writeFileSync(join(proc, pid, 'cmdline'), commandLine);
  writeFileSync(join(proc, pid, 'task', pid, 'children'), children);
}

it('finds processes by their command line, and neither kernel threads nor those that have ended', () => {
  addProcess('9', 's3fs\0bucket\0/pods/a/mount\0');
  addProcess('12', 's3fs\0bucket\0/pods/b/mount\0');
  addProcess('14', '');
  mkdirSync(join(proc, '15'));
  mkdirSync(join(proc, 'sys'));
  expect(findProcesses('^s3fs .*/pods/b/', proc)).toEqual([{ pid: 12, command: 's3fs bucket /pods/b/mount' }]);
  expect(findProcesses('.*', proc).map(({ pid }) => pid)).toEqual([9, 12]);
});

it('finds the process that serves, and not the supervisor and the shell that have its command line', () => {
  addProcess('20', 'sh\0-c\0mount.juicefs meta /jfs/v\0', '21 ');
  addProcess('21', 'mount.juicefs\0meta\0/jfs/v\0', '30 22 ');
  addProcess('22', 'mount.juicefs\0meta\0/jfs/v\0');
  addProcess('30', 'umount\0/jfs/w\0');
  expect(findProcesses('mount.juicefs .*/jfs/v', proc).map(({ pid }) => pid)).toEqual([22]);
});
