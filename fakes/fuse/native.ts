import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import type { KoffiFunc, LibraryHandle } from 'koffi';
import type { FuseConstructor } from './fuse-native.ts';
import type { MountFuse } from './raw-fuse.ts';

const mntDetach = 2;
/** MS_NOSUID and MS_NODEV, as set by fusermount. */
const noSuidNoDev = 6;
/** `linux/mount.h`, `asm/unistd.h`; MOUNT_ATTR_RDONLY is 1. */
const numbers = { openTree: 428, moveMount: 429, mountSetattr: 442 };
const ENOSYS = 38;
const msReadOnly = 1;
/** MS_REMOUNT, MS_BIND, MS_RDONLY, with the flags of the mount. */
const remountReadOnly = 0x20 | 0x1000 | 1 | noSuidNoDev;
const openTreeClone = 1;
const fromEmptyPath = 4;
const emptyPath = 0x1000;
const currentDirectory = -100;

export interface Native {
  /** Undefined if fuse-native has no binary for this processor. */
  readonly Fuse: FuseConstructor | undefined;
  /** `umount2(path, MNT_DETACH)`. Returns the errno if it fails. */
  readonly detach: (path: string) => number | undefined;
  readonly mountFuse: MountFuse;
  /** For a daemon that is already serving. */
  readonly asynchronous: AsyncMountCalls;
}

/**
 * Calls in another thread. A mount call can wait for a lock whose holder waits for this very daemon, so the thread that serves must never
 * make one. Each resolves with the errno if it fails.
 */
export interface AsyncMountCalls {
  readonly detach: (path: string) => Promise<number | undefined>;
  /** Clones the mount at a path and attaches the clone elsewhere. A read-only one is read-only before it becomes visible. */
  readonly attachCopy: (copy: {
    readonly from: string;
    readonly to: string;
    readonly readOnly: boolean;
  }) => Promise<number | undefined>;
}

/**
 * Loads fuse-native. Its prebuilt library has no run path, so libfuse, which its dependency ships, must be loaded before it; koffi does
 * that, and calls umount2 as well. Both are loaded by their final paths first, because their own search takes about 10 ms, half of the time
 * that Node takes to start. That is why this module loads koffi itself and does not use `recovery/linux/libc.ts`.
 */
export async function loadNative(): Promise<Native> {
  const require = createRequire(import.meta.url);
  const firstOf = <T>(direct: () => T, searched: () => T): T => {
    try {
      return direct();
    } catch {
      return searched();
    }
  };
  const koffi = firstOf<typeof Koffi>(
    () => require(`@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`),
    () => require('koffi'),
  );
  const loadFuse = async (): Promise<FuseConstructor> => {
    const libfuse = firstOf<string>(
      () => require.resolve('fuse-shared-library-linux/libfuse/lib/libfuse.so'),
      () => require('fuse-shared-library').lib,
    );
    koffi.load(libfuse);
    return (await import('fuse-native')).default;
  };
  const libc = koffi.load('libc.so.6');
  const umount2 = libc.func('int umount2(const char *target, int flags)');
  const result = (returned: number | bigint): number | undefined => (Number(returned) < 0 ? koffi.errno() : undefined);
  return {
    Fuse: process.arch === 'x64' ? await loadFuse() : undefined,
    detach: (path) => result(umount2(path, mntDetach)),
    mountFuse({ source, target, fstype, data, readOnly }) {
      const mount = libc.func('int mount(const char*, const char*, const char*, unsigned long, const char*)');
      return result(mount(source, target, fstype, noSuidNoDev | (readOnly ? msReadOnly : 0), data));
    },
    asynchronous: asyncMountCalls(koffi, libc, umount2),
  };
}

function asyncMountCalls(koffi: typeof Koffi, libc: LibraryHandle, umount2: ForeignFunction): AsyncMountCalls {
  /** koffi preserves the errno of the calling thread until the callback. */
  const call = (func: ForeignFunction, ...args: readonly unknown[]): Promise<CallResult> =>
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
      const mount = libc.func('int mount(const char*, const char*, const char*, unsigned long, const char*)');
      const close = libc.func('int close(int)');
      const clone = () => call(atPath, numbers.openTree, currentDirectory, from, openTreeClone, null, 0);
      let { value: tree, errno } = await clone();
      if (tree === undefined) return errno;
      try {
        if (readOnly) {
          const attributes = Buffer.alloc(32);
          attributes.writeBigUInt64LE(1n, 0);
          const marked = await call(setAttributes, numbers.mountSetattr, tree, '', emptyPath, attributes, 32);
          if (marked.errno === ENOSYS) {
            // Before Linux 5.12 a clone inherits the flag from its source.
            const remounted = await call(mount, null, from, null, remountReadOnly, null);
            if (remounted.errno !== undefined) return remounted.errno;
            await call(close, tree);
            ({ value: tree, errno } = await clone());
            if (tree === undefined) return errno;
          } else if (marked.errno !== undefined) return marked.errno;
        }
        return (await call(atPath, numbers.moveMount, tree, '', currentDirectory, to, fromEmptyPath)).errno;
      } finally {
        if (tree !== undefined) await call(close, tree);
      }
    },
  };
}

/** A function of a shared library. */
type ForeignFunction = KoffiFunc<(...args: readonly unknown[]) => number | bigint>;

type CallResult =
  | { readonly value: number; readonly errno?: never }
  | { readonly errno: number; readonly value?: never };
