import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createContainers } from './containers.ts';
import { loadSyscalls } from './libc.ts';
import { createProcessNamespaces } from './process-namespaces.ts';

const uid = '6f1bdc4a-1111-4222-8333-123456789abc';
const settled = 60_000;

/** A directory that looks like /proc, of processes that do not exist. */
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
    // The descriptor's own file: the same text, whatever was renamed meanwhile.
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
  it('finds those that came, forgets those that ended, and reads no table of the others again', () => {
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

  it('finds a container whose process has moved into its namespace since it was seen', () => {
    const containers = open();
    run(10, 'mnt:[1]', []);
    expect(containers.find('new')).toEqual([]);
    rmSync(join(proc, '10/ns/mnt'));
    symlinkSync('mnt:[10]', join(proc, '10/ns/mnt'));
    now = 1_000;
    expect(points(containers.find('new'))).toEqual(['app']);
  });

  it('reads the table of a container again that was made a moment ago', () => {
    const containers = open();
    run(10, 'mnt:[10]', []);
    containers.find('new');
    change(10, [line(2, '/data')]);
    now = 1_000;
    expect(points(containers.find('new'))).toEqual(['app /data']);
  });

  it('reads the table of a container again in which a mount was replaced', () => {
    const containers = open();
    run(10, 'mnt:[10]', []);
    containers.find('new');
    now = settled;
    change(10, [line(2, '/data')]);
    containers.changed(10);
    expect(points(containers.find('new'))).toEqual(['app /data']);
  });

  it('reads the table again where another process has come to speak for the namespace', () => {
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

  it('gives the same table where its text is the same', () => {
    const containers = open();
    run(10, 'mnt:[10]', [line(2, '/data')]);
    const [before] = containers.find('fresh');
    expect(containers.find('fresh')[0]?.mounts).toBe(before?.mounts);
  });
});

describe('the known containers', () => {
  it('are read again, without those whose pid is another process by now', () => {
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
