import { posix } from 'node:path';
import { type CsiResult, rejected, succeeded } from './status.ts';

/** The mount of a volume's daemon according to the volume attributes of its PersistentVolume. */
export interface VolumeSource {
  /** `fluid_path`: absolute, normalised, below the mount root. */
  readonly path: string;
  /** `fluid_sub_path` without leading and trailing slashes; empty for the whole volume. */
  readonly subdirectory: string;
}

/** Whether a path is absolute and has no `.`, `..`, repeated or trailing slashes. */
export function isNormalised(path: string): boolean {
  return (
    path.startsWith('/') &&
    path !== '/' &&
    !path.includes('\0') &&
    !path.endsWith('/') &&
    posix.normalize(path) === path
  );
}

/** Whether a normalised path lies below a directory and is not the directory itself. */
export function isBelow(path: string, directory: string): boolean {
  return path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** Parses `fluid_path` and `fluid_sub_path`. They are mounted by root, so paths outside the mount root are rejected. */
export function parseVolumeSource(
  attributes: Readonly<Record<string, unknown>>,
  mountRoot: string,
): CsiResult<VolumeSource> {
  const path = attributes.fluid_path;
  if (typeof path !== 'string' || path === '')
    return rejected('INVALID_ARGUMENT', 'fluid_path is not set in the volume context');
  if (!isNormalised(path)) {
    return rejected(
      'INVALID_ARGUMENT',
      `fluid_path "${path}" is not an absolute path without ".", ".." and repeated slashes`,
    );
  }
  if (!isBelow(path, mountRoot)) return rejected('INVALID_ARGUMENT', `fluid_path "${path}" is not below ${mountRoot}`);
  const subPath = attributes.fluid_sub_path ?? '';
  if (typeof subPath !== 'string') return rejected('INVALID_ARGUMENT', 'fluid_sub_path is not a string');
  const subdirectory = subPath.replace(/^\/+|\/+$/g, '');
  if (subdirectory !== '' && !isNormalised(`/${subdirectory}`)) {
    return rejected(
      'INVALID_ARGUMENT',
      `fluid_sub_path "${subPath}" is not a path without ".", ".." and repeated slashes`,
    );
  }
  return succeeded({ path, subdirectory });
}
