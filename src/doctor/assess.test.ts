import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assess, kernelVersion, missingRequirements } from './assess.ts';
import type { MachineFacts } from './gather.ts';

const good: MachineFacts = {
  platform: 'linux',
  arch: 'x64',
  glibc: '2.36',
  kernelRelease: '6.8.0-41-generic',
  nodeVersion: 'v24.21.0',
  root: false,
  fuseDevice: { state: 'open', mode: '0666' },
  unshareProgram: true,
  namespaces: { ok: false, says: 'unshare failed: Operation not permitted' },
  userNamespaces: { ok: true },
  sysctls: { 'user.max_user_namespaces': '96365' },
  koffi: { ok: true },
  fuseNative: { ok: true },
  temporary: { path: '/tmp', writable: { ok: true }, freeBytes: 1e9 },
};

const refused = { ok: false, says: 'unshare failed: Operation not permitted' } as const;

function finding(what: string, facts: Partial<MachineFacts>) {
  return assess({ ...good, ...facts }).find((one) => one.what === what);
}

test('finds nothing missing on a common distribution without root', () => {
  expect(assess(good).filter(({ mark }) => mark !== 'ok')).toEqual([]);
});

test('arm64 needs no fuse-native', () => {
  const facts = { ...good, arch: 'arm64', fuseNative: { ok: false, says: 'no native build was found' } as const };
  expect(assess(facts).filter(({ mark }) => mark !== 'ok')).toEqual([]);
});

describe('each missing requirement is named with its remedy', () => {
  test.each<[string, Partial<MachineFacts>, string, RegExp, RegExp]>([
    ['another system', { platform: 'darwin', arch: 'arm64' }, 'platform', /darwin on arm64/, /Linux x86-64/],
    ['another processor', { arch: 'riscv64' }, 'platform', /linux on riscv64/, /arm64 with glibc/],
    ['another C library', { glibc: undefined as never }, 'platform', /not glibc/, /not Alpine/],
    ['an old kernel', { kernelRelease: '4.19.91-26.al7' }, 'kernel', /4\.19\.91-26\.al7 is before 5\.10/, /5\.10/],
    ['an old Node', { nodeVersion: 'v20.20.2' }, 'Node', /v20\.20\.2/, /bin\/rekindle\.js/],
    ['no device', { fuseDevice: { state: 'absent' } }, '/dev/fuse', /not there/, /modprobe fuse/],
    [
      'a closed device without root',
      { fuseDevice: { state: 'closed', errno: 'EACCES', mode: '0600' } },
      '/dev/fuse',
      /EACCES \(mode 0600\)/,
      /chmod 0666 \/dev\/fuse/,
    ],
    [
      'a closed device as root',
      { root: true, fuseDevice: { state: 'closed', errno: 'EPERM', mode: '0666' } },
      '/dev/fuse',
      /EPERM/,
      /--device \/dev\/fuse/,
    ],
    ['no unshare', { unshareProgram: false }, 'unshare', /not on the PATH/, /util-linux/],
    [
      'namespaces that AppArmor denies',
      { userNamespaces: refused, sysctls: { 'kernel.apparmor_restrict_unprivileged_userns': '1' } },
      'namespaces',
      /Operation not permitted/,
      /apparmor_restrict_unprivileged_userns=0/,
    ],
    [
      'namespaces that a sysctl denies',
      { userNamespaces: refused, sysctls: { 'kernel.unprivileged_userns_clone': '0' } },
      'namespaces',
      /Operation not permitted/,
      /unprivileged_userns_clone=1/,
    ],
    [
      'no user namespaces left',
      { userNamespaces: refused, sysctls: { 'user.max_user_namespaces': '0' } },
      'namespaces',
      /Operation not permitted/,
      /max_user_namespaces=10000/,
    ],
    [
      'root in a tight container',
      { userNamespaces: refused, root: true },
      'namespaces',
      /not permitted/,
      /--privileged/,
    ],
    ['koffi', { koffi: { ok: false, says: 'failed to map segment' } }, 'koffi', /failed to map segment/, /noexec/],
    ['fuse-native', { fuseNative: { ok: false, says: 'libfuse.so.2' } }, 'fuse-native', /libfuse\.so\.2/, /npm ci/],
    [
      'a folder that cannot be written',
      { temporary: { path: '/ro', writable: { ok: false, says: 'EROFS' }, freeBytes: 1e9 } },
      'temporary files',
      /\/ro cannot be written: EROFS/,
      /TMPDIR/,
    ],
    [
      'a full disk',
      { temporary: { path: '/tmp', writable: { ok: true }, freeBytes: 1e6 } },
      'temporary files',
      /0 MB free/,
      /make room/,
    ],
  ])('%s', (_, facts, what, says, remedy) => {
    const found = finding(what, facts);
    expect(found).toMatchObject({
      mark: 'missing',
      says: expect.stringMatching(says),
      remedy: expect.stringMatching(remedy),
    });
    expect(missingRequirements(assess({ ...good, ...facts }))).toHaveLength(1);
  });
});

test.each([
  ['6.5.0', 'ok', 'tier 6.5'],
  ['7.0', 'ok', 'tier 6.5'],
  ['6.4.9', 'note', 'tier 5.12'],
  ['5.12.0-rc1', 'note', 'tier 5.12'],
  ['5.10.134-16.al8', 'note', 'tier 5.10'],
  ['5.9.16', 'missing', 'before 5.10'],
  ['nonsense', 'missing', 'before 5.10'],
])('kernel %s is %s: %s', (kernelRelease, mark, says) => {
  expect(finding('kernel', { kernelRelease })).toMatchObject({ mark, says: expect.stringContaining(says) });
});

test('takes the version from the two numbers at the start of a kernel release', () => {
  fc.assert(
    fc.property(fc.nat(99), fc.nat(99), fc.stringMatching(/^([.-].*)?$/), (major, minor, rest) => {
      expect(kernelVersion(`${major}.${minor}${rest}`)).toEqual([major, minor]);
    }),
  );
});

test('notes a low limit of inotify instances, which kind needs, without preventing a run', () => {
  const sysctls = { 'fs.inotify.max_user_instances': '128' };
  expect(finding('inotify', { sysctls })).toEqual({
    what: 'inotify',
    mark: 'note',
    says: 'fs.inotify.max_user_instances is 128: too few for kind with several nodes',
    remedy: 'sudo sysctl fs.inotify.max_user_instances=512',
  });
  expect(missingRequirements(assess({ ...good, sysctls }))).toEqual([]);
  expect(finding('inotify', { sysctls: { 'fs.inotify.max_user_instances': '512' } })?.mark).toBe('ok');
});
