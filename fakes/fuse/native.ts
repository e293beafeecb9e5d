import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import type { KoffiFunc, LibraryHandle } from 'koffi';
import type { FuseConstructor } from './fuse-native.ts';
import type { MountFuse } from './raw-fuse.ts';

const mntDetach = 2;
/** MS_NOSUID, MS_NODEV: what fusermount sets, too. */
const noSuidNoDev = 6;
/** `linux/mount.h`, `asm/unistd.h`; MOUNT_ATTR_RDONLY is 1. */
const numbers = { openTree: 428, moveMount: 429, mountSetattr: 442 };
const openTreeClone = 1;
const fromEmptyPath = 4;
const emptyPath = 0x1000;
const currentDirectory = -100;

export interface Native {
  readonly Fuse: FuseConstructor;
  /** `umount2(path, MNT_DETACH)`, which needs no fusermount. Undefined, or the errno's number. */
  readonly detach: (path: string) => number | undefined;
  readonly mountFuse: MountFuse;
  /** What a daemon that serves already does to mounts. */
  readonly aside: Aside;
}

/**
 * Calls made in another thread. A call on mounts can wait for a lock that somebody holds who waits for this very daemon, so
 * the thread that serves must never make one. Each resolves with undefined, or the errno's number.
 */
export interface Aside {
  readonly detach: (path: string) => Promise<number | undefined>;
  /** Attaches a copy of the mount at a path elsewhere, read-only where asked from before it can be seen. */
  readonly attachCopy: (copy: {
    readonly from: string;
    readonly to: string;
    readonly readOnly: boolean;
  }) => Promise<number | undefined>;
}

/**
 * Loads fuse-native. Its prebuilt library has no run path, so the libfuse that its dependency ships must be in the
 * process before it; koffi can do that, and calls umount2 as well.
 *
 * Both are required by the paths of their native files, because their own search for these takes some 10 ms, half as long as
 * Node's start. That is why this module loads koffi itself and does not use `recovery/linux/libc.ts`.
 */
export async function loadNative(): Promise<Native> {
  const require = createRequire(import.meta.url);
  const either = <T>(direct: () => T, searched: () => T): T => {
    try {
      return direct();
    } catch {
      return searched();
    }
  };
  const koffi = either<typeof Koffi>(
    () => require('@koromix/koffi-linux-x64/linux_x64/koffi.node'),
    () => require('koffi'),
  );
  const libfuse = either<string>(
    () => require.resolve('fuse-shared-library-linux/libfuse/lib/libfuse.so'),
    () => require('fuse-shared-library').lib,
  );
  koffi.load(libfuse);
  const libc = koffi.load('libc.so.6');
  const umount2 = libc.func('int umount2(const char *target, int flags)');
  const { default: Fuse } = await import('fuse-native');
  const result = (returned: number | bigint): number | undefined => (Number(returned) < 0 ? koffi.errno() : undefined);
  return {
    Fuse,
    detach: (path) => result(umount2(path, mntDetach)),
    mountFuse({ source, target, fstype, data }) {
      const mount = libc.func('int mount(const char*, const char*, const char*, unsigned long, const char*)');
      return result(mount(source, target, fstype, noSuidNoDev, data));
    },
    aside: asideOf(koffi, libc, umount2),
  };
}

function asideOf(koffi: typeof Koffi, libc: LibraryHandle, umount2: Foreign): Aside {
  /** koffi keeps a thread's errno until its callback. */
  const call = (func: Foreign, ...args: readonly unknown[]): Promise<Called> =>
    new Promise((resolve, reject) => {
      func.async(...args, (error: Error | null, returned: number | bigint) => {
        if (error) reject(error);
        else resolve(Number(returned) < 0 ? { errno: koffi.errno() } : { value: Number(returned) });
      });
    });
  return {
    detach: async (path) => (await call(umount2, path, mntDetach)).errno,
    async attachCopy({ from, to, readOnly }) {
      const atPath = libc.func('long syscall(long, long, const char*, long, const char*, long)');
      const setAttributes = libc.func('long syscall(long, long, const char*, long, void*, long)');
      const close = libc.func('int close(int)');
      const { value: tree, errno } = await call(
        atPath,
        numbers.openTree,
        currentDirectory,
        from,
        openTreeClone,
        null,
        0,
      );
      if (tree === undefined) return errno;
      try {
        const attributes = Buffer.alloc(32);
        attributes.writeBigUInt64LE(1n, 0);
        const marked =
          readOnly && (await call(setAttributes, numbers.mountSetattr, tree, '', emptyPath, attributes, 32));
        if (marked && marked.errno !== undefined) return marked.errno;
        return (await call(atPath, numbers.moveMount, tree, '', currentDirectory, to, fromEmptyPath)).errno;
      } finally {
        await call(close, tree);
      }
    },
  };
}

/** A function of a library. */
type Foreign = KoffiFunc<(...args: readonly unknown[]) => number | bigint>;

type Called = { readonly value: number; readonly errno?: never } | { readonly errno: number; readonly value?: never };
