import { beforeEach, expect, it, vi } from 'vitest';
import { loadSyscalls } from './load-syscalls.ts';
import { AT_FDCWD, O_PATH, RESOLVE_CACHED, RESOLVE_NO_SYMLINKS } from './syscalls.ts';

type Close = (fd: number, onClosed: () => void) => void;

/** Closes that the pool has begun, in order. */
const closing = vi.hoisted((): Parameters<Close>[] => []);
const closedAtOnce = vi.hoisted((): number[] => []);

vi.mock('./libc.ts', () => ({
  lastErrno: () => 'EINVAL',
  libc: {
    close: Object.assign((fd: number) => void closedAtOnce.push(fd), {
      async: ((...close) => void closing.push(close)) satisfies Close,
    }),
    // Linux 5.10 and 5.11 refuse flags that they do not know.
    openat2: (_at: number, _path: string, how: Buffer) => ((Number(how.readBigUInt64LE(16)) & 0x20) === 0 ? 3 : -1),
  },
}));

beforeEach(() => {
  closing.length = 0;
  closedAtOnce.length = 0;
});

it('closes in the pool, one descriptor after another', () => {
  const { closeInPool } = loadSyscalls();
  const begun = () => closing.map(([fd]) => fd);
  for (const fd of [7, 8, 9]) closeInPool(fd);
  expect(begun()).toEqual([7]);
  closing[0]?.[1]();
  expect(begun()).toEqual([7, 8]);
  closing[1]?.[1]();
  closing[2]?.[1]();
  closeInPool(10);
  expect(begun()).toEqual([7, 8, 9, 10]);
  expect(closedAtOnce).toEqual([]);
});

it('reports a path as not cached on a kernel that cannot look into its cache alone', () => {
  const open = (resolve: number) => loadSyscalls().openat2({ at: AT_FDCWD, path: '/data', flags: O_PATH, resolve });
  expect(open(RESOLVE_NO_SYMLINKS)).toEqual({ ok: true, value: 3 });
  expect(open(RESOLVE_NO_SYMLINKS | RESOLVE_CACHED)).toMatchObject({ failure: { errno: 'EAGAIN', call: 'openat2' } });
});
