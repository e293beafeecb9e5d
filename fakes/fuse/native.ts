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
 */
export function loadNative(): Native {
  const require = createRequire(import.meta.url);
  const koffi = require('koffi') as typeof Koffi;
  koffi.load((require('fuse-shared-library') as { readonly lib: string }).lib);
  const umount2 = koffi.load('libc.so.6').func('int umount2(const char *target, int flags)');
  return {
    Fuse: require('fuse-native') as FuseConstructor,
    detach: (path) => (umount2(path, mntDetach) === 0 ? undefined : koffi.errno()),
  };
}
