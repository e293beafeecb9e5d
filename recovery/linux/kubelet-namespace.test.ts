import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { kubeletNamespace } from './kubelet-namespace.ts';

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'rekindle-proc-'));
});
afterEach(() => rmSync(proc, { recursive: true }));

function runs(pid: number, name: string, namespace: string): void {
  mkdirSync(join(proc, `${pid}/ns`), { recursive: true });
  writeFileSync(join(proc, `${pid}/comm`), `${name}\n`);
  symlinkSync(namespace, join(proc, `${pid}/ns/mnt`));
}

it.each([
  ["is process 1's where the kubelet shares it: process 1 outlives the kubelet", 'kubelet', 'mnt:[1]', 1],
  ["is the kubelet's where it has one of its own", 'kubelet', 'mnt:[2]', 700],
  ["is process 1's where no process is called kubelet", 'k3s-server', 'mnt:[2]', 1],
])('%s', (_, name, namespace, pid) => {
  runs(1, 'systemd', 'mnt:[1]');
  runs(700, name, namespace);
  runs(800, 'kubelet-helper', 'mnt:[3]');
  expect(kubeletNamespace(proc)).toBe(`${proc}/${pid}/ns/mnt`);
});
