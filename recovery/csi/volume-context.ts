import { posix } from 'node:path';
import { type Answer, answered, refused } from './status.ts';

/** Where a volume's daemon mounts it, as the volume attributes of its PersistentVolume say. */
export interface VolumeSource {
  /** `fluid_path`: absolute, normalised, below the mount root. */
  readonly path: string;
  /** `fluid_sub_path` without slashes around it; empty for the whole volume. */
  readonly subdirectory: string;
}

/** Whether a path is absolute and is spelt without `.`, `..`, doubled or trailing slashes. */
export function isNormalised(path: string): boolean {
  return (
    path.startsWith('/') &&
    path !== '/' &&
    !path.includes('\0') &&
    !path.endsWith('/') &&
    posix.normalize(path) === path
  );
}

/** Whether a normalised path lies below a directory, itself excluded. */
export function isBelow(path: string, directory: string): boolean {
  return path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** Reads `fluid_path` and `fluid_sub_path`: what they name is mounted as root, so nothing outside the mount root may be named. */
export function volumeSource(attributes: Readonly<Record<string, unknown>>, mountRoot: string): Answer<VolumeSource> {
  const path = attributes.fluid_path;
  if (typeof path !== 'string' || path === '')
    return refused('INVALID_ARGUMENT', 'fluid_path is not set in the volume context');
  if (!isNormalised(path)) {
    return refused(
      'INVALID_ARGUMENT',
      `fluid_path "${path}" is not an absolute path without ".", ".." and doubled slashes`,
    );
  }
  if (!isBelow(path, mountRoot)) return refused('INVALID_ARGUMENT', `fluid_path "${path}" is not below ${mountRoot}`);
  const asked = attributes.fluid_sub_path ?? '';
  if (typeof asked !== 'string') return refused('INVALID_ARGUMENT', 'fluid_sub_path is not a string');
  const subdirectory = asked.replace(/^\/+|\/+$/g, '');
  if (subdirectory !== '' && !isNormalised(`/${subdirectory}`)) {
    return refused('INVALID_ARGUMENT', `fluid_sub_path "${asked}" is not a path without ".", ".." and doubled slashes`);
  }
  return answered({ path, subdirectory });
}
