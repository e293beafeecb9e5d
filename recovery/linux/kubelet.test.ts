import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findKubelet, podOf } from './kubelet.ts';

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'rekindle-proc-'));
  mkdirSync(join(proc, 'self/ns'), { recursive: true });
  symlinkSync('pid:[1]', join(proc, 'self/ns/pid'));
});
afterEach(() => rmSync(proc, { recursive: true }));

interface Process {
  readonly name: string;
  readonly mounts?: string;
  readonly pids?: string;
  readonly cgroup?: string;
}

function runs(pid: number, { name, mounts = 'mnt:[1]', pids = 'pid:[1]', cgroup = '0::/system.slice' }: Process): void {
  mkdirSync(join(proc, `${pid}/ns`), { recursive: true });
  writeFileSync(join(proc, `${pid}/comm`), `${name}\n`);
  writeFileSync(join(proc, `${pid}/cgroup`), `${cgroup}\n`);
  symlinkSync(mounts, join(proc, `${pid}/ns/mnt`));
  symlinkSync(pids, join(proc, `${pid}/ns/pid`));
}

const pod = '0::/../../kubepods-burstable-pod0a1b.slice/cri-containerd-0a1b.scope';
const kubelet = { name: 'kubelet', cgroup: '0::/../../../../system.slice/kubelet.service' };

describe('the kubelet', () => {
  it.each(['kubelet', 'kubelite', 'k3s-server', 'k3s-agent'])('is a process called %s', (name) => {
    runs(1, { name: 'systemd' });
    runs(700, { ...kubelet, name });
    expect(findKubelet(proc)).toEqual({ kind: 'found', pid: 700, mountNamespace: 'mnt:[1]' });
  });

  it('is one that has a mount namespace of its own, as in a system container', () => {
    runs(1, { name: 'init' });
    runs(700, { name: 'kubelet', mounts: 'mnt:[2]', cgroup: '0::/../../../podruntime/kubelet' });
    expect(findKubelet(proc)).toEqual({ kind: 'found', pid: 700, mountNamespace: 'mnt:[2]' });
  });

  it.each<[string, Process]>([
    ['in a pod, which a tenant named so', { name: 'kubelet', cgroup: pod }],
    ['in a pod, with cgroupfs', { name: 'kubelet', cgroup: '3:memory:/kubepods/besteffort/pod0a1b/0a1b' }],
    ['in a pod with the PID namespace of the host', { name: 'k3s-server', mounts: 'mnt:[9]', cgroup: pod }],
    ['of a cluster in a pod', { name: 'kubelet', pids: 'pid:[9]', cgroup: `${pod}/docker/1/system.slice` }],
    ['of a cluster in a container', { name: 'kubelet', pids: 'pid:[9]', cgroup: '0::/../../docker/1/system.slice' }],
  ])('is not one %s, whose pid is lower', (_, other) => {
    runs(1, { name: 'systemd' });
    runs(600, { mounts: 'mnt:[9]', ...other });
    runs(700, kubelet);
    expect(findKubelet(proc)).toMatchObject({ kind: 'found', pid: 700 });
  });

  it('is found on a node that runs in a pod itself', () => {
    const around = '1:name=systemd:/kubepods/burstable/pod9/9/docker/8';
    runs(1, { name: 'systemd', cgroup: `${around}/init.scope` });
    runs(600, { name: 'kubelet', cgroup: `${around}/kubelet/kubepods/burstable/pod0a1b/0a1b` });
    runs(700, { name: 'kubelet', cgroup: `${around}/system.slice/kubelet.service` });
    expect(findKubelet(proc)).toMatchObject({ kind: 'found', pid: 700 });
  });

  it('is one of several in the same mount namespace', () => {
    runs(1, { name: 'systemd' });
    runs(600, kubelet);
    runs(700, kubelet);
    expect(findKubelet(proc)).toMatchObject({ kind: 'found', pid: 600 });
  });

  it('is unknown if several are in different mount namespaces', () => {
    runs(1, { name: 'systemd' });
    runs(600, kubelet);
    runs(700, { ...kubelet, mounts: 'mnt:[2]' });
    expect(findKubelet(proc)).toEqual({ kind: 'several', pids: [600, 700] });
  });

  it('has no name that is known on some distributions', () => {
    runs(1, { name: 'systemd' });
    runs(700, { ...kubelet, name: 'kubelet-helper' });
    expect(findKubelet(proc)).toEqual({ kind: 'unnamed' });
  });
});

const uid = '5d3e61b6-b8ed-431e-9138-ef233340f673';

it.each([
  ['the cgroupfs driver', `5:memory:/kubepods/besteffort/pod${uid}/0f3a`, uid],
  [
    'the systemd driver',
    `0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-0f3a.scope`,
    uid,
  ],
  ['no pod', '0::/system.slice/jindofs-fuse.service', undefined],
])('pods are known by the cgroups of their processes, by %s', (_, cgroup, expected) => {
  expect(podOf(cgroup)).toBe(expected);
});
