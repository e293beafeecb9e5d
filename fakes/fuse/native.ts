import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import type { FuseConstructor } from './fuse-native.ts';

const mntDetach = 2;
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
  /** Attaches a copy of the mount at a path elsewhere, read-only where asked from before it can be seen. */
  readonly attachCopy: (copy: {
    readonly from: string;
    readonly to: string;
    readonly readOnly: boolean;
  }) => number | undefined;
}

/**
 * Loads fuse-native. Its prebuilt library has no run path, so the libfuse that its dependency ships must be in the
 * process before it; koffi can do that, and calls umount2 as well.
 *
 * Both are taken by the files that they load in the end, where those are: their own search for them takes some 10 ms,
 * half as long as all of Node's start.
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
    attachCopy({ from, to, readOnly }) {
      const atPath = libc.func('long syscall(long, long, const char*, long, const char*, long)');
      const setAttributes = libc.func('long syscall(long, long, const char*, long, void*, long)');
      const close = libc.func('int close(int)');
      const tree = Number(atPath(numbers.openTree, currentDirectory, from, openTreeClone, null, 0));
      if (tree < 0) return koffi.errno();
      try {
        const attributes = Buffer.alloc(32);
        attributes.writeBigUInt64LE(1n, 0);
        const marked = readOnly ? setAttributes(numbers.mountSetattr, tree, '', emptyPath, attributes, 32) : 0;
        return result(marked) ?? result(atPath(numbers.moveMount, tree, '', currentDirectory, to, fromEmptyPath));
      } finally {
        close(tree);
      }
    },
  };
}
