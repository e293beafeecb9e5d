import { createRequire } from 'node:module';
import type Koffi from 'koffi';
import type { FuseConstructor } from './fuse-native.ts';

const mntDetach = 2;

export interface Native {
  readonly Fuse: FuseConstructor;
  /** `umount2(path, MNT_DETACH)`, which needs no fusermount. Undefined, or the errno's number. */
  readonly detach: (path: string) => number | undefined;
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
  const umount2 = koffi.load('libc.so.6').func('int umount2(const char *target, int flags)');
  const { default: Fuse } = await import('fuse-native');
  return { Fuse, detach: (path) => (umount2(path, mntDetach) === 0 ? undefined : koffi.errno()) };
}
