import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createContainers, identifyContainer, podsDirectory } from './containers.ts';
import { loadSyscalls } from './load-syscalls.ts';
import { parseMountinfo } from './mountinfo.ts';
import { createProcessNamespaces, processFiles } from './processes.ts';

const uid = '6f1bdc4a-1111-4222-8333-123456789abc';
const settled = 60_000;

/** A directory that imitates /proc. */
let proc: string;
let now: number;
let reads: number;
/** Milliseconds that reading a table takes. */
let perRead: number;
let node: string;
let unknown: string[];

beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'rekindle-proc-'));
  now = 0;
  reads = 0;
  perRead = 0;
  node = line(1, '/');
  unknown = [];
  mkdirSync(join(proc, 'self/ns'), { recursive: true });
  symlinkSync('user:[1]', join(proc, 'self/ns/user'));
});
afterEach(() => rmSync(proc, { recursive: true }));

const open = () => {
  const calls = loadSyscalls();
  const sys = {
    readText: (fd: number, maxBytes?: number) => {
      reads += 1;
      now += perRead;
      return calls.readText(fd, maxBytes);
    },
  };
  const processes = createProcessNamespaces({ proc, sys: calls, now: () => now });
  return createContainers({
    files: processFiles(proc, sys),
    except: () => new Set(['mnt:[1]']),
    processes,
    now: () => now,
    pods: () => podsDirectory(parseMountinfo(node), '/var/lib/kubelet'),
    onUnknown: ({ pid, reason }) => void unknown.push(`${pid}: ${reason}`),
  });
};

const line = (id: number, mountPoint: string, root = '/') => `${id} 1 0:40 ${root} ${mountPoint} rw - fuse.x x rw\n`;

function run(pid: number, namespace: string, mounts: readonly string[], name = 'app', parent = 1): void {
  const own = join(proc, String(pid));
  mkdirSync(join(own, 'ns'), { recursive: true });
  symlinkSync(namespace, join(own, 'ns/mnt'));
  symlinkSync('user:[1]', join(own, 'ns/user'));
  writeFileSync(join(own, 'stat'), `${pid} (sleep) S ${parent} ${'0 '.repeat(17)}${pid * 10} 0\n`);
  writeFileSync(join(own, 'status'), 'Uid:\t0\t1000\t0\t0\nGid:\t0\t1000\t0\t0\nGroups:\t\n');
  change(pid, mounts, name);
}

/** A process goes back to the node's namespace. */
function leave(pid: number): void {
  const own = join(proc, String(pid));
  rmSync(join(own, 'ns/mnt'));
  symlinkSync('mnt:[1]', join(own, 'ns/mnt'));
  writeFileSync(join(own, 'mountinfo'), line(1, '/'));
}

function change(pid: number, mounts: readonly string[], name = 'app'): void {
  const own = line(1, '/dev/termination-log', `/var/lib/kubelet/pods/${uid}/containers/${name}/0a1b`);
  writeFileSync(join(proc, String(pid), 'mountinfo'), [own, ...mounts].join(''));
}

const points = (found: ReturnType<ReturnType<typeof open>['find']>) =>
  found.map(({ name, mounts }) => [name, ...mounts.slice(1).map(({ mountPoint }) => mountPoint)].join(' '));

/** A mount namespace without a termination log. */
function runStranger(pid: number, mounts: readonly string[]): void {
  run(pid, `mnt:[${pid}]`, []);
  writeFileSync(join(proc, String(pid), 'mountinfo'), [line(1, '/'), ...mounts].join(''));
}

describe('a mount namespace that is no container', () => {
  const flood = Array.from({ length: 10_000 }, (_, index) => line(index + 2, `/flood/${index}`));

  it('has a table that is too long to be read, and is left alone', () => {
    const containers = open();
    run(10, 'mnt:[10]', flood);
    run(11, 'mnt:[11]', [line(2, '/data')]);
    expect(points(containers.find('fresh'))).toEqual(['app /data']);
    expect(points(containers.find('new'))).toEqual(['app /data']);
    expect(unknown).toEqual(['10: it has too many mounts for a container']);
  });

  it('is not read again by scans for new containers', () => {
    const containers = open();
    runStranger(10, []);
    containers.find('fresh');
    now = 9_999;
    reads = 0;
    containers.find('new');
    expect(reads).toBe(1);
    now = 10_000;
    containers.find('new');
    expect(reads).toBe(1);
    containers.find('fresh');
    expect(reads).toBe(2);
  });

  it('is found if it becomes one soon, or else by the next full scan', () => {
    const containers = open();
    runStranger(10, []);
    runStranger(11, []);
    containers.find('fresh');
    now = 9_999;
    change(10, [], 'soon');
    expect(points(containers.find('new'))).toEqual(['soon']);
    now = 10_000;
    change(11, [], 'late');
    expect(points(containers.find('new'))).toEqual(['soon']);
    expect(points(containers.find('fresh'))).toEqual(['soon', 'late']);
  });

  it('is read again if the kubelet has another directory', () => {
    const containers = open();
    run(10, 'mnt:[10]', []);
    node = line(1, '/').replace('0:40', '0:41');
    expect(containers.find('fresh')).toEqual([]);
    now = settled;
    node = line(1, '/');
    expect(points(containers.find('new'))).toEqual(['app']);
  });
});

it('takes tables as they were prepared if it would take long to read them again', () => {
  const containers = open();
  for (const pid of [10, 11, 12, 13]) run(pid, `mnt:[${pid}]`, [], `app-${pid}`);
  perRead = 100;
  for (const _ of containers.prepare());
  reads = 0;
  expect(containers.find('fresh')).toHaveLength(4);
  expect(reads).toBe(1);
});

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

  it('finds a container although a prober with a lower pid was reading in it at the last scan', () => {
    const containers = open();
    run(10, 'mnt:[12]', [line(2, '/data')], 'app', process.pid);
    symlinkSync(readlinkSync('/proc/self/exe'), join(proc, '10', 'exe'));
    run(12, 'mnt:[12]', [line(2, '/data')]);
    expect(containers.find('fresh').map(({ pid }) => pid)).toEqual([12]);
    now = settled;
    leave(10);
    expect(containers.find('new').map(({ pid }) => pid)).toEqual([12]);
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

describe('a container that others visit', () => {
  /** The process of the container, and a visitor with a lower pid, each with its start and its pids by PID namespace. */
  const visit = (main: { start: number; ids: string }, visitor: { start: number; ids: string }) => {
    for (const [pid, uid, { start, ids }] of [
      [10, 0, visitor],
      [12, 1000, main],
    ] as const) {
      run(pid, 'mnt:[12]', [line(2, '/data')]);
      writeFileSync(join(proc, `${pid}/stat`), `${pid} (sh) S 1 ${'0 '.repeat(17)}${start} 0\n`);
      writeFileSync(join(proc, `${pid}/status`), `Uid:\t0\t${uid}\t0\t0\nGid:\t0\t0\t0\t0\nNSpid:\t${ids}\n`);
    }
  };
  const found = (containers: ReturnType<typeof open>) => containers.find('new').map(({ pid, user }) => [pid, user.uid]);

  it.each([
    ['has process 1, although the visitor started first', { start: 9, ids: '12\t1' }, { start: 5, ids: '10' }],
    ['has the process that started first if none is process 1', { start: 5, ids: '12' }, { start: 9, ids: '10' }],
  ])('%s', (_, main, visitor) => {
    visit(main, visitor);
    expect(found(open())).toEqual([[12, 1000]]);
  });

  it('keeps its process when a visitor with a lower pid comes', () => {
    const containers = open();
    run(12, 'mnt:[12]', [line(2, '/data')]);
    containers.find('new');
    run(10, 'mnt:[12]', [line(2, '/data')]);
    writeFileSync(join(proc, '10/stat'), `10 (sh) S 1 ${'0 '.repeat(17)}5 0\n`);
    containers.changed(12);
    now = settled;
    expect(found(containers)).toEqual([[12, 1000]]);
  });
});

describe('the preparation of a fresh scan', () => {
  const prepare = (containers: ReturnType<typeof open>) => [...containers.prepare()].length;

  it('reads in steps what the scan would read', () => {
    const containers = open();
    run(10, 'mnt:[10]', [line(2, '/data')]);
    run(11, 'mnt:[11]', [line(2, '/other')]);
    // Two processes and two tables.
    expect(prepare(containers)).toBe(4);
    reads = 0;
    expect(points(containers.find('fresh'))).toEqual(['app /data', 'app /other']);
    expect(reads).toBe(0);
  });

  it.each([
    ['was long ago', () => (now = 300)],
    ['was for another process of the namespace', () => run(9, 'mnt:[10]', [line(2, '/data')])],
    ['missed a mount that was replaced afterwards', (containers: ReturnType<typeof open>) => containers.changed(10)],
  ])('does not count if it %s', (_, happens) => {
    const containers = open();
    run(10, 'mnt:[10]', []);
    prepare(containers);
    change(10, [line(2, '/data')]);
    happens(containers);
    expect(points(containers.find('fresh'))).toEqual(['app /data']);
  });

  it('is used once', () => {
    const containers = open();
    run(10, 'mnt:[10]', []);
    prepare(containers);
    containers.find('fresh');
    change(10, [line(2, '/data')]);
    expect(points(containers.find('fresh'))).toEqual(['app /data']);
  });

  it('keeps the reason why a container is unknown, for the scan that reports it', () => {
    const containers = open();
    run(10, 'mnt:[10]', [line(2, '/log', `/var/lib/kubelet/pods/${uid}/containers/b/0a1b`)]);
    prepare(containers);
    expect(unknown).toEqual([]);
    containers.find('fresh');
    expect(unknown).toEqual(['10: several termination logs are mounted']);
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

describe('the known containers of a full node', () => {
  it('are read again for 10 ms in one turn, first those that were changed and those that were left out before', () => {
    const containers = open();
    const pids = [10, 11, 12, 13, 14];
    for (const pid of pids) run(pid, `mnt:[${pid}]`, [], `c${pid}`);
    containers.find('fresh');
    for (const pid of pids) change(pid, [line(2, '/data')], `c${pid}`);
    perRead = 4;
    containers.changed(14);
    expect(points(containers.find('known')).toSorted()).toEqual(['c10 /data', 'c11 /data', 'c12', 'c13', 'c14 /data']);
    expect(points(containers.find('known')).toSorted()).toEqual(pids.map((pid) => `c${pid} /data`));
    // The last of those that are left out.
    rmSync(join(proc, '11'), { recursive: true });
    containers.changed(10);
    containers.changed(12);
    containers.changed(13);
    expect(points(containers.find('known')).toSorted()).toEqual([10, 12, 13, 14].map((pid) => `c${pid} /data`));
  });
});

describe('a container that cannot be identified', () => {
  const second = line(2, '/second', `/var/lib/kubelet/pods/${uid}/containers/other/0a1b`);

  it('is left out and reported once', () => {
    const containers = open();
    run(10, 'mnt:[10]', [second]);
    expect([containers.find('fresh'), containers.find('known'), containers.find('fresh')]).toEqual([[], [], []]);
    expect(unknown).toEqual(['10: several termination logs are mounted']);
  });

  it('is reported once for all namespaces that a tenant makes in its pod, however often it makes new ones', () => {
    const containers = open();
    const inPod = (pid: number, pod: string) => {
      run(pid, `mnt:[${pid}]`, [second]);
      writeFileSync(
        join(proc, String(pid), 'cgroup'),
        `0::/kubepods.slice/kubepods-pod${pod.replaceAll('-', '_')}.slice\n`,
      );
    };
    for (let pid = 10; pid < 40; pid++) inPod(pid, uid);
    containers.find('fresh');
    for (let pid = 40; pid < 70; pid++) inPod(pid, uid);
    for (let pid = 10; pid < 40; pid++) rmSync(join(proc, String(pid)), { recursive: true });
    for (const scope of ['new', 'fresh'] as const) containers.find(scope);
    for (const pid of [70, 71]) inPod(pid, uid.replace('6f1b', '7f1b'));
    containers.find('fresh');
    expect(unknown).toEqual(['10', '70'].map((pid) => `${pid}: several termination logs are mounted`));
  });

  it('is forgotten although it was known before', () => {
    const containers = open();
    run(10, 'mnt:[10]', []);
    expect(points(containers.find('fresh'))).toEqual(['app']);
    change(10, [second]);
    expect(containers.find('known')).toEqual([]);
  });

  it("is forgotten if another filesystem is mounted over the kubelet's directory", () => {
    const containers = open();
    run(10, 'mnt:[10]', []);
    expect(points(containers.find('fresh'))).toEqual(['app']);
    node += '2 1 0:41 / /var/lib/kubelet rw - tmpfs x rw\n';
    expect(containers.find('fresh')).toEqual([]);
  });
});

const nodeMounts = (...lines: readonly string[]) => parseMountinfo(['1 0 8:1 / / rw - ext4 x rw', ...lines].join('\n'));

describe('podsDirectory', () => {
  const find = (...lines: readonly string[]) => podsDirectory(nodeMounts(...lines), '/var/lib/kubelet');

  it.each([
    ['on the root filesystem', [], '8:1', '/var/lib/kubelet/pods'],
    ['on a filesystem of its own', ['2 1 8:2 / /var/lib/kubelet rw - xfs x rw'], '8:2', '/pods'],
    ['below a filesystem of its own', ['2 1 8:2 / /var/lib rw - xfs x rw'], '8:2', '/kubelet/pods'],
    ['below a bind mount', ['2 1 8:2 /volumes/1 /var rw - ext4 x rw'], '8:2', '/volumes/1/lib/kubelet/pods'],
    [
      'on a bind mount of itself',
      ['2 1 8:1 /var/lib/kubelet /var/lib/kubelet rw - ext4 x rw'],
      '8:1',
      '/var/lib/kubelet/pods',
    ],
    ['on a btrfs subvolume', ['2 1 0:30 /@var /var rw - btrfs x rw'], '0:30', '/@var/lib/kubelet/pods'],
    ['that is itself a mount point', ['2 1 8:2 / /var/lib/kubelet/pods rw - xfs x rw'], '8:2', '/'],
    [
      'under the deeper of two mounts',
      ['2 1 8:2 / /var rw - xfs x rw', '3 2 8:3 / /var/lib/kubelet rw - xfs x rw'],
      '8:3',
      '/pods',
    ],
    [
      'under the upper of two mounts at one place',
      ['2 1 8:2 / /var/lib/kubelet rw - xfs x rw', '3 2 8:3 / /var/lib/kubelet rw - xfs x rw'],
      '8:3',
      '/pods',
    ],
    [
      'under a mount that covers a deeper one',
      ['2 1 8:2 / /var/lib/kubelet rw - xfs x rw', '3 1 8:3 / /var rw - xfs x rw'],
      '8:3',
      '/lib/kubelet/pods',
    ],
    ['beside a mount with a similar name', ['2 1 8:2 / /var/lib/kub rw - xfs x rw'], '8:1', '/var/lib/kubelet/pods'],
  ])('finds a directory %s', (_, lines, device, root) => {
    expect(find(...lines)).toEqual({ device, root });
  });
});

const pods = '/var/lib/kubelet/pods';
const victim = '0e0e0e0e-1111-4222-8333-123456789abc';
const fileMount = (root: string, point: string, device = '8:1') => `1 2 ${device} ${root} ${point} rw - ext4 x rw\n`;
const hosts = fileMount(`${pods}/${uid}/etc-hosts`, '/etc/hosts');
const log = fileMount(`${pods}/${uid}/containers/app/0a1b2c3d`, '/dev/termination-log');
const victimLog = (prefix = pods) => `${prefix}/${victim}/containers/db/0a1b2c3d`;
const directory = podsDirectory(nodeMounts(), '/var/lib/kubelet');
const identify = (text: string, within = directory) => {
  const found = within === undefined ? undefined : identifyContainer(parseMountinfo(text), within);
  return found?.kind === 'container' ? `${found.identity.podUid} ${found.identity.name}` : found?.kind;
};

describe('identifyContainer', () => {
  it('identifies the pod, the container and the place of its termination log', () => {
    expect(directory && identifyContainer(parseMountinfo(hosts + log), directory)).toEqual({
      kind: 'container',
      identity: { podUid: uid, name: 'app', terminationLog: '/dev/termination-log' },
    });
  });

  it("works if the kubelet's directory of pods is the root of a filesystem", () => {
    const own = podsDirectory(nodeMounts('2 1 8:2 / /var/lib/kubelet/pods rw - xfs x rw'), '/var/lib/kubelet');
    expect(identify(fileMount(`/${uid}/containers/app/0a1b2c3d`, '/tmp/why', '8:2'), own)).toBe(`${uid} app`);
  });

  it('identifies a static pod by the hash that the kubelet assigns to it', () => {
    const hash = '81d1e0a3f6c3b6e5a7f2d9c8b4a5e6f7';
    expect(identify(fileMount(`${pods}/${hash}/containers/etcd/1`, '/dev/termination-log'))).toBe(`${hash} etcd`);
  });

  const forged = `${pods}/${uid}/volumes/kubernetes.io~empty-dir/v/pods/${victim}/containers/db/x`;
  const ownHosts = fileMount(`${pods}/${uid}/volumes/kubernetes.io~empty-dir/v/hosts`, '/etc/hosts');
  it.each([
    ['an emptyDir with such a subPath', fileMount(forged, '/a')],
    ['an emptyDir with such a subPath, and its own /etc/hosts', fileMount(forged, '/a') + ownHosts],
    ['a volume on another device with the same path', fileMount(victimLog(), '/a', '0:77') + ownHosts],
    ['a volume whose path only ends alike', fileMount(victimLog(`/srv/export${pods}`), '/a') + ownHosts],
    ['a volume whose path only begins alike', fileMount(victimLog(`${pods}-copy/pods`), '/a') + ownHosts],
  ])('is not misled by %s', (_, text) => {
    expect(identify(text + log)).toBe(`${uid} app`);
  });

  it.each([
    ['two termination logs', log + fileMount(victimLog(), '/a') + ownHosts],
    ['two termination logs of its own', log + log.replace('/app/', '/other/')],
    ['one log at two places', log + log.replace('/dev/termination-log', '/a')],
    ['the files of two pods', fileMount(`${pods}/${victim}/etc-hosts`, '/etc/hosts') + log],
    ['the right path on another device only', fileMount(victimLog(), '/dev/termination-log', '0:77')],
    ['only a path that ends alike', fileMount(victimLog(`/srv/export${pods}`), '/dev/termination-log')],
    ['only an emptyDir with such a subPath', fileMount(forged, '/dev/termination-log')],
  ])('does not know a container with %s', (_, text) => {
    expect(identify(text)).toBe('unknown');
  });

  it.each([
    ['nothing of a pod', fileMount('/', '/')],
    ['only an etc-hosts', hosts],
    ['a directory of a container', fileMount(`${pods}/${uid}/containers/app`, '/dev/termination-log')],
    ['a file below', fileMount(`${pods}/${uid}/containers/app/1/more`, '/dev/termination-log')],
    ['a removed log', fileMount(`${pods}/${uid}/containers/app/1//deleted`, '/dev/termination-log')],
  ])('takes %s for no container', (_, text) => {
    expect(identify(text)).toBe('none');
  });

  /** Names that a tenant may give to directories of its own volumes, and to whole filesystems of its own. */
  const names = fc.constantFrom(
    'pods',
    victim,
    uid,
    'containers',
    'db',
    'app',
    '0a1b2c3d',
    'var',
    'lib',
    'kubelet',
    '..',
  );
  const own = fc.array(names, { maxLength: 8 }).map((parts) => parts.join('/'));
  const tenantMount = fc
    .record({
      root: fc.oneof(
        own.map((path) => ({ device: '8:1', root: `${pods}/${uid}/volumes/kubernetes.io~empty-dir/v/${path}` })),
        own.map((path) => ({ device: '8:1', root: `/var/lib/containerd/1/fs/${path}` })),
        own.map((path) => ({ device: '0:77', root: `/${path}` })),
        fc.constant({ device: '0:77', root: victimLog() }),
      ),
      point: fc.constantFrom('/dev/termination-log', '/etc/hosts', '/a', '/data', '/'),
    })
    .map(({ root: { device, root }, point }) => fileMount(root, point, device));

  it('never takes a tenant’s mounts for a container of another pod, whether it hides its own log or not', () => {
    fc.assert(
      fc.property(fc.array(tenantMount, { maxLength: 6 }), fc.subarray([hosts, log]), (mounts, kept) => {
        expect([`${uid} app`, 'none', 'unknown']).toContain(identify([...mounts, ...kept].join('')));
      }),
      { numRuns: 2_000 },
    );
  });
});
