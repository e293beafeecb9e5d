import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { kubeletDirectoryProblem } from './kubelet-directory.ts';
import { parseMountinfo } from './mountinfo.ts';
import type { Namespaces } from './namespaces.ts';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'rekindle-kubelet-'));
});
afterEach(() => rmSync(path, { recursive: true }));

const namespaces: Pick<Namespaces, 'inNode'> = { inNode: (run) => run() };
const line = (device: string, root: string, mountPoint: string) =>
  `30 1 ${device} ${root} ${mountPoint} rw,relatime - ext4 /dev/sda1 rw`;
const file = (device: string, pods: string) =>
  line(device, `${pods}/5e1d/containers/plugins/0a1b2c3d`, '/dev/termination-log');

function problem(node: readonly string[], own: readonly string[] = []) {
  const parse = (lines: readonly string[]) => parseMountinfo(`${lines.join('\n')}\n`);
  return kubeletDirectoryProblem({ namespaces, path, node: parse(node), own: parse(own) });
}

it('is a directory without pods', () => {
  expect(problem([line('8:1', '/', '/')])).toBe(
    `a kubelet: none has its pods below ${path}: deploy with --kubelet-root`,
  );
});

it('is a directory of pods that the kubelet does not bind from, and names the one that it does', () => {
  mkdirSync(join(path, 'pods'));
  const elsewhere = ` below ${path}: its pods are in /data/kubelet/pods: deploy with --kubelet-root /data/kubelet`;
  const node = [line('8:1', '/', '/'), line('8:2', '/', '/data')];
  expect(problem(node, [file('8:2', '/kubelet/pods')])).toBe(`mounts of the kubelet${elsewhere}`);
  expect(problem(node, [file('8:3', '/kubelet/pods')])).toContain('in /kubelet/pods of device 8:3: deploy');
});

it.each<[string, () => readonly string[]]>([
  ['the agent runs in no container', () => []],
  ['the agent is in a container of it', () => [file('8:1', `${path}/pods`)]],
  ['the pod has an /etc/hosts of its own', () => [line('8:2', '/etc/hosts', '/etc/hosts')]],
])('is none if %s', (_, own) => {
  mkdirSync(join(path, 'pods'));
  expect(problem([line('8:1', '/', '/')], own())).toBeUndefined();
});
