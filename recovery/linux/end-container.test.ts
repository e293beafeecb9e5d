import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { endContainer } from './processes.ts';

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'rekindle-proc-'));
  return () => rmSync(proc, { recursive: true });
});
const children = new Set<ReturnType<typeof spawn>>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

/** A process that sleeps, as /proc of a node shows it in the mount namespace of a container. */
function runs(mountNamespace: string, innerPid: number): { readonly pid: number; readonly ended: Promise<unknown[]> } {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  children.add(child);
  const { pid = 0 } = child;
  mkdirSync(join(proc, `${pid}/ns`), { recursive: true });
  symlinkSync(mountNamespace, join(proc, `${pid}/ns/mnt`));
  writeFileSync(join(proc, `${pid}/status`), `Name:\tsleep\nNSpid:\t${pid}\t${innerPid}\nNSpgid:\t1\n`);
  return { pid, ended: once(child, 'exit') };
}

const container = { mountNamespace: 'mnt:[1]', name: 'app' };

it('signals process 1 of the container, and no other process', async () => {
  const others = [runs('mnt:[1]', 7), runs('mnt:[2]', 1)];
  const main = runs('mnt:[1]', 1);
  expect(endContainer(proc, container, 'SIGTERM')).toEqual({ ok: true, value: undefined });
  expect(await main.ended).toEqual([null, 'SIGTERM']);
  for (const { pid } of others) expect(process.kill(pid, 0)).toBe(true);
});

it('refuses a container whose process 1 is not its own, and one that has ended', () => {
  runs('mnt:[1]', 7);
  expect(endContainer(proc, container, 'SIGKILL')).toMatchObject({ failure: { errno: 'ESRCH', step: 'no-process-1' } });
  expect(endContainer(proc, { ...container, mountNamespace: 'mnt:[9]' }, 'SIGKILL')).toMatchObject({
    failure: { errno: 'ESRCH', step: 'container-ended' },
  });
});
