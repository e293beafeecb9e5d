import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containerIdentity, createContainers } from './containers.ts';
import { loadSyscalls } from './load-syscalls.ts';
import { parseMountinfo } from './mountinfo.ts';
import { createProcessNamespaces } from './processes.ts';

const uid = '6f1bdc4a-1111-4222-8333-123456789abc';
const settled = 60_000;

/** A directory that imitates /proc. */
let proc: string;
let now: number;
let reads: number;

beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'rekindle-proc-'));
  now = 0;
  reads = 0;
  mkdirSync(join(proc, 'self/ns'), { recursive: true });
  symlinkSync('user:[1]', join(proc, 'self/ns/user'));
});
afterEach(() => rmSync(proc, { recursive: true }));

const open = () => {
  const sys = {
    // Reads the file that the descriptor refers to, even if it has been renamed.
    readText: (fd: number) => {
      reads += 1;
      return { ok: true as const, value: readFileSync(`/proc/self/fd/${fd}`, 'utf8') };
    },
  };
  const calls = loadSyscalls();
  const processes = createProcessNamespaces({ proc, sys: calls, now: () => now });
  return createContainers({ proc, except: () => new Set(['mnt:[1]']), sys, processes, now: () => now });
};

const line = (id: number, mountPoint: string, root = '/') => `${id} 1 0:40 ${root} ${mountPoint} rw - fuse.x x rw\n`;

function run(pid: number, namespace: string, mounts: readonly string[], name = 'app'): void {
  const own = join(proc, String(pid));
  mkdirSync(join(own, 'ns'), { recursive: true });
  symlinkSync(namespace, join(own, 'ns/mnt'));
  symlinkSync('user:[1]', join(own, 'ns/user'));
  writeFileSync(join(own, 'stat'), `${pid} (sleep) S 1 ${'0 '.repeat(17)}${pid * 10} 0\n`);
  writeFileSync(join(own, 'status'), 'Uid:\t0\t1000\t0\t0\nGid:\t0\t1000\t0\t0\nGroups:\t\n');
  change(pid, mounts, name);
}

function change(pid: number, mounts: readonly string[], name = 'app'): void {
  const own = line(1, '/log', `/pods/${uid}/containers/${name}/0a1b`);
  writeFileSync(join(proc, String(pid), 'mountinfo'), [own, ...mounts].join(''));
}

const points = (found: ReturnType<ReturnType<typeof open>['find']>) =>
  found.map(({ name, mounts }) => [name, ...mounts.slice(1).map(({ mountPoint }) => mountPoint)].join(' '));

describe('a scan for new containers', () => {
  it('finds new containers, forgets ended ones, and reads no other table again', () => {
    const containers = open();
    run(10, 'mnt:[10]', [line(2, '/data')], 'old');
    run(11, 'mnt:[11]', [], 'ended');
    containers.find('fresh');
    now = settled;
    rmSync(join(proc, '11'), { recursive: true });
    run(12, 'mnt:[12]', [line(2, '/data')], 'young');
    reads = 0;
    expect(points(containers.find('new'))).toEqual(['old /data', 'young /data']);
    expect(reads).toBe(1);
  });

  it('finds a container whose process has entered its namespace since the last scan', () => {
    const containers = open();
    run(10, 'mnt:[1]', []);
    expect(containers.find('new')).toEqual([]);
    rmSync(join(proc, '10/ns/mnt'));
    symlinkSync('mnt:[10]', join(proc, '10/ns/mnt'));
    now = 1_000;
    expect(points(containers.find('new'))).toEqual(['app']);
  });

  it('reads the table of a young container again', () => {
    const containers = open();
    run(10, 'mnt:[10]', []);
    containers.find('new');
    change(10, [line(2, '/data')]);
    now = 1_000;
    expect(points(containers.find('new'))).toEqual(['app /data']);
  });

  it('reads the table of a container again after a mount in it was replaced', () => {
    const containers = open();
    run(10, 'mnt:[10]', []);
    containers.find('new');
    now = settled;
    change(10, [line(2, '/data')]);
    containers.changed(10);
    expect(points(containers.find('new'))).toEqual(['app /data']);
  });

  it('reads the table again if another process now has the lowest pid of the namespace', () => {
    const containers = open();
    run(10, 'mnt:[10]', []);
    containers.find('new');
    now = settled;
    rmSync(join(proc, '10'), { recursive: true });
    run(11, 'mnt:[10]', [line(2, '/data')]);
    expect(points(containers.find('new'))).toEqual(['app /data']);
  });
});

describe('a fresh scan', () => {
  it('reads every table', () => {
    const containers = open();
    run(10, 'mnt:[10]', []);
    containers.find('new');
    now = settled;
    change(10, [line(2, '/data')]);
    expect(points(containers.find('new'))).toEqual(['app']);
    expect(points(containers.find('fresh'))).toEqual(['app /data']);
  });

  it('returns the same table if its text is unchanged', () => {
    const containers = open();
    run(10, 'mnt:[10]', [line(2, '/data')]);
    const [before] = containers.find('fresh');
    expect(containers.find('fresh')[0]?.mounts).toBe(before?.mounts);
  });
});

describe('the known containers', () => {
  it('are read again, except those whose pid was reused', () => {
    const containers = open();
    run(10, 'mnt:[10]', [], 'same');
    run(11, 'mnt:[11]', [], 'other');
    containers.find('fresh');
    run(12, 'mnt:[12]', [], 'unknown');
    change(10, [line(2, '/data')], 'same');
    rmSync(join(proc, '11'), { recursive: true });
    run(11, 'mnt:[13]', [], 'other');
    expect(points(containers.find('known'))).toEqual(['same /data']);
  });
});

const fileMount = (root: string, point: string) => `1 2 0:3 ${root} ${point} rw - ext4 /dev/vda rw\n`;
const hosts = fileMount(`/var/lib/kubelet/pods/${uid}/etc-hosts`, '/etc/hosts');
const log = fileMount(`/var/lib/kubelet/pods/${uid}/containers/app/0a1b2c3d`, '/dev/termination-log');
const identity = (text: string) => containerIdentity(parseMountinfo(text));

describe('containerIdentity', () => {
  it('identifies the pod and the container', () => {
    expect(identity(hosts + log)).toEqual({ podUid: uid, name: 'app' });
  });

  it('works for any kubelet directory and any mount point of the termination log', () => {
    const elsewhere = fileMount(`/data/kubelet/pods/${uid}/containers/app/0a1b2c3d`, '/tmp/why');
    expect(identity(elsewhere)).toEqual({ podUid: uid, name: 'app' });
  });

  it('identifies a static pod by the hash that the kubelet assigns to it', () => {
    const hash = '81d1e0a3f6c3b6e5a7f2d9c8b4a5e6f7';
    expect(identity(fileMount(`/pods/${hash}/containers/etcd/1`, '/dev/termination-log'))?.podUid).toBe(hash);
  });

  it.each([
    ['nothing of a pod', fileMount('/', '/')],
    ['only an etc-hosts', hosts],
    ['the files of two pods', fileMount('/pods/other/etc-hosts', '/etc/hosts') + log],
    ['a directory of a container', fileMount(`/pods/${uid}/containers/app`, '/dev/termination-log')],
    ['a file below', fileMount(`/pods/${uid}/containers/app/1/more`, '/dev/termination-log')],
  ])('does not accept %s', (_, text) => {
    expect(identity(text)).toBeUndefined();
  });
});
