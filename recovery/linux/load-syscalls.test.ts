import { expect, it, vi } from 'vitest';
import { loadSyscalls } from './load-syscalls.ts';
import { AT_FDCWD, O_PATH, RESOLVE_CACHED, RESOLVE_NO_SYMLINKS } from './syscalls.ts';

/** Linux 5.10 and 5.11 refuse flags that they do not know. */
vi.mock('./libc.ts', () => ({
  lastErrno: () => 'EINVAL',
  libc: {
    openat2: (_at: number, _path: string, how: Buffer) => ((Number(how.readBigUInt64LE(16)) & 0x20) === 0 ? 3 : -1),
  },
}));

it('reports a path as not cached on a kernel that cannot look into its cache alone', () => {
  const open = (resolve: number) => loadSyscalls().openat2({ at: AT_FDCWD, path: '/data', flags: O_PATH, resolve });
  expect(open(RESOLVE_NO_SYMLINKS)).toEqual({ ok: true, value: 3 });
  expect(open(RESOLVE_NO_SYMLINKS | RESOLVE_CACHED)).toMatchObject({ failure: { errno: 'EAGAIN', call: 'openat2' } });
});
