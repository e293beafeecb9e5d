import { describe, expect, it } from 'vitest';
import { detectTier } from '../kernel-tier.ts';
import { parseMountinfo } from '../mountinfo.ts';
import { openNamespaces } from '../namespaces.ts';
import { openStaging } from '../staging.ts';
import {
  AT_FDCWD,
  CLONE_NEWNS,
  MNT_DETACH,
  MS_BIND,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  O_PATH,
  RESOLVE_CACHED,
} from '../syscalls.ts';
import { FuseConnection } from './connection.ts';
import { KernelModel } from './kernel-model.ts';
import { ModelledSyscalls } from './modelled-syscalls.ts';

function openProcess(release = '6.18') {
  const kernel = new KernelModel({ release });
  const sys = new ModelledSyscalls({ kernel });
  for (const path of ['/a', '/a/in', '/b']) sys.mkdir(path);
  return { kernel, sys };
}

function table(sys: ModelledSyscalls) {
  const proc = sys.open('/proc');
  const opened = proc.ok ? sys.openat2({ at: proc.value, path: 'thread-self/mountinfo', flags: 0, resolve: 0 }) : proc;
  const text = opened.ok ? sys.readText(opened.value) : opened;
  return text.ok ? parseMountinfo(text.value) : [];
}

const points = (sys: ModelledSyscalls) => table(sys).map(({ mountPoint }) => mountPoint);
const propagation = (sys: ModelledSyscalls, target: string, flags: number) =>
  sys.mount({ source: null, target, fstype: null, flags });
const tmpfs = (sys: ModelledSyscalls, target: string) =>
  sys.mount({ source: 'memory', target, fstype: 'tmpfs', flags: 0 });

function open(sys: ModelledSyscalls, path: string): number {
  const opened = sys.openat2({ at: AT_FDCWD, path, flags: O_PATH, resolve: 0 });
  if (!opened.ok) throw new Error(opened.failure.errno);
  return opened.value;
}

describe('the modelled kernel', () => {
  it.each([
    ['peers', 0, ['/', '/a']],
    ['slaves', MS_SLAVE, ['/', '/a']],
    ['not to private mounts', MS_PRIVATE, ['/']],
  ])('propagates a mount: %s', (_, flags, expected) => {
    const { kernel, sys } = openProcess();
    propagation(sys, '/', MS_SHARED);
    const other = new ModelledSyscalls({ kernel });
    other.unshare(CLONE_NEWNS);
    if (flags !== 0) propagation(other, '/', flags);
    tmpfs(sys, '/a');
    expect(points(other)).toEqual(expected);
    sys.umount('/a', MNT_DETACH);
    expect(points(other)).toEqual(['/']);
  });

  it.each([
    ['6.12.118', '6.5', 'ok'],
    ['6.1.192', '5.12', 'ok'],
    ['5.10.46', '5.10', 'EAGAIN'],
  ] as const)('offers what Linux %s does', (release, tier, lookUp) => {
    const sys = new ModelledSyscalls({ kernel: new KernelModel({ release }) });
    const namespaces = openNamespaces(sys, undefined);
    const staging = namespaces.ok ? openStaging(sys, namespaces.value) : namespaces;
    expect(staging.ok && detectTier(sys, staging.value)).toEqual({ ok: true, value: tier });
    const cached = sys.openat2({ at: AT_FDCWD, path: '/', flags: O_PATH, resolve: RESOLVE_CACHED });
    expect(cached.ok ? 'ok' : cached.failure.errno).toBe(lookUp);
  });

  it.each([
    ['6.14', 'EINVAL'],
    ['6.15', 'ok'],
  ])('as Linux %s, answers an attachment to a detached tree: %s', (release, expected) => {
    const { sys } = openProcess(release);
    const [outer, inner] = [sys.cloneTree(open(sys, '/a'), false), sys.cloneTree(open(sys, '/b'), false)];
    const attached = outer.ok && inner.ok && sys.moveMount(inner.value, { at: outer.value, path: 'in' });
    expect(attached && (attached.ok ? 'ok' : attached.failure.errno)).toBe(expected);
  });

  it.each([
    ['6.16', 'EINVAL'],
    ['6.17', 'ok'],
  ])('as Linux %s, clones an unbindable mount in a copied namespace: %s', (release, expected) => {
    const { sys } = openProcess(release);
    propagation(sys, '/', MS_UNBINDABLE);
    sys.unshare(CLONE_NEWNS);
    const cloned = sys.cloneTree(open(sys, '/'), false);
    expect(cloned.ok ? 'ok' : cloned.failure.errno).toBe(expected);
  });

  it.each([
    ['6.7', ['/', '/b', '/a']],
    ['6.8', ['/', '/a', '/b']],
  ])('as Linux %s, lists mounts by %j', (release, expected) => {
    const { sys } = openProcess(release);
    const clone = sys.cloneTree(open(sys, '/'), false);
    tmpfs(sys, '/b');
    if (clone.ok) sys.moveMount(clone.value, { at: open(sys, '/a'), path: '' });
    expect(points(sys)).toEqual(expected);
  });

  it('attaches a detached clone beneath a mount, which stays visible until it is detached', () => {
    const { sys } = openProcess();
    tmpfs(sys, '/a');
    const clone = sys.cloneTree(open(sys, '/b'), false);
    const top = open(sys, '/a');
    expect(clone.ok && sys.moveMount(clone.value, { at: top, path: '', beneath: true }).ok).toBe(true);
    expect(points(sys)).toEqual(['/', '/a', '/a']);
    const seen = sys.identify(open(sys, '/a'));
    expect(seen.ok && seen.value.device).toBe('0:40');
    sys.umount('/a', MNT_DETACH);
    const after = sys.identify(open(sys, '/a'));
    expect(after.ok && after.value.device).toBe('8:1');
  });

  it('drops the mounts below a name that a dead daemon cannot confirm, in every namespace', () => {
    const kernel = new KernelModel();
    const connection = new FuseConnection({ entries: ['in'], entryTimeout: 0 });
    const sys = new ModelledSyscalls({
      kernel,
      filesystem: (fstype, source) =>
        fstype === 'fuse' ? kernel.filesystem({ fstype, source, connection }) : undefined,
    });
    sys.mkdir('/a');
    sys.mount({ source: 'daemon', target: '/a', fstype: 'fuse', flags: 0 });
    tmpfs(sys, '/a/in');
    expect(points(sys)).toEqual(['/', '/a', '/a/in']);
    connection.crash();
    expect(sys.openat2({ at: AT_FDCWD, path: '/a/in', flags: O_PATH, resolve: 0 })).toMatchObject({
      failure: { errno: 'ENOTCONN' },
    });
    expect(points(sys)).toEqual(['/', '/a']);
  });

  it('locks what a user namespace inherits, until the node unmounts it', () => {
    const { kernel, sys } = openProcess();
    propagation(sys, '/', MS_SHARED);
    sys.mount({ source: 'memory', target: '/a', fstype: 'tmpfs', flags: MS_RDONLY });
    const copied = sys.copyForUser();
    const [own] = sys.namespaces();
    if (!copied.ok || own === undefined) throw new Error('no namespace');
    const enter = new ModelledSyscalls({ kernel, namespace: own });
    const errno = (result: ReturnType<typeof enter.umount>) => (result.ok ? 'ok' : result.failure.errno);
    expect(errno(enter.umount('/a', MNT_DETACH))).toBe('EINVAL');
    expect(errno(enter.mount({ source: null, target: '/a', fstype: null, flags: MS_REMOUNT | MS_BIND }))).toBe('EPERM');
    expect(errno(enter.mount({ source: '/', target: '/b', fstype: null, flags: MS_BIND }))).toBe('EINVAL');
    tmpfs(sys, '/b');
    expect(errno(enter.umount('/b', MNT_DETACH))).toBe('ok');
    sys.umount('/a', MNT_DETACH);
    expect(points(enter)).toEqual(['/']);
  });

  it('gives the number of a mount and of a device again once nothing uses it', () => {
    const { sys } = openProcess();
    tmpfs(sys, '/a');
    const [, first] = table(sys);
    const held = open(sys, '/a');
    sys.umount('/a', MNT_DETACH);
    tmpfs(sys, '/b');
    const [, second] = table(sys);
    expect(second?.device).not.toBe(first?.device);
    sys.close(held);
    tmpfs(sys, '/a');
    expect(table(sys).at(-1)).toMatchObject({ id: first?.id, device: first?.device });
  });

  it('closes detached trees at the end of a process', () => {
    const { kernel, sys } = openProcess();
    sys.mount({ source: '/b', target: '/a', fstype: null, flags: MS_BIND });
    const agent = new ModelledSyscalls({ kernel });
    agent.cloneTree(open(agent, '/a'), false);
    const before = table(sys).length;
    agent.exit();
    expect(table(sys)).toHaveLength(before);
    tmpfs(sys, '/b');
    expect(Math.max(...table(sys).map(({ id }) => id))).toBe(4);
  });
});
