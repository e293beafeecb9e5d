import { lstatSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import {
  AT_FDCWD,
  MNT_DETACH,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  type Syscalls,
} from '../../recovery/linux/syscalls.ts';
import type { SubPathMount } from './mount-sources.ts';

const directoryMode = 0o750;

/**
 * Binds a subPath as the kubelet does (`pkg/volume/util/subpath`): it resolves symbolic links as long as they stay in the volume, and opens the
 * resolved path without following any. Returns the reason if the path is refused; throws if the volume does not answer.
 */
export function bindBeneath(sys: Syscalls, { volume, subPath, target }: SubPathMount): string | undefined {
  const base = realpathSync(volume);
  const resolved = resolveWithin(base, subPath);
  if ('refused' in resolved) return resolved.refused;
  // A directory may have become a symbolic link meanwhile, so no component of the path is followed any more.
  const opened = openBeneath(sys, base, relative(base, resolved.path));
  if (!opened.ok) return `subpath "${subPath}" of "${volume}" changed while it was opened: ${opened.failure.errno}`;
  const fd = opened.value;
  const own = `/proc/self/fd/${fd}`;
  const bound = boundAt(target, own);
  if (bound === 'same') return undefined;
  for (let remaining = bound; remaining > 0; remaining--) sys.umount(target, MNT_DETACH);
  makeTarget(target, statSync(own).isDirectory());
  const tree = sys.cloneTree(fd, false);
  if (!tree.ok) return `open_tree: ${tree.failure.errno}`;
  const moved = sys.moveMount(tree.value, { at: AT_FDCWD, path: target });
  return moved.ok ? undefined : `move_mount on ${target}: ${moved.failure.errno}`;
}

/** Resolves symbolic links that stay in the volume, and creates missing directories. */
function resolveWithin(base: string, subPath: string): { readonly path: string } | { readonly refused: string } {
  const path = join(base, subPath);
  const refuse = (real: string) => ({ refused: `subpath "${real}" not within volume path "${base}"` });
  const isWithin = (real: string) => real === base || real.startsWith(`${base}${sep}`);
  try {
    const real = realpathSync(path);
    return isWithin(real) ? { path: real } : refuse(real);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  let existing = path;
  while (!lstatSync(existing, { throwIfNoEntry: false })) existing = dirname(existing);
  const real = realpathSync(existing);
  if (!isWithin(real)) return refuse(real);
  const missing = join(real, relative(existing, path));
  mkdirSync(missing, { recursive: true, mode: directoryMode });
  return { path: missing };
}

function openBeneath(sys: Syscalls, base: string, path: string): ReturnType<Syscalls['openat2']> {
  const root = sys.open(base, O_PATH);
  if (!root.ok) return root;
  return sys.openat2({
    at: root.value,
    path: path === '' ? '.' : path,
    flags: O_PATH,
    resolve: RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
  });
}

/** Finds mounts that an earlier start of the container left at the target: `same`, or the number of other mounts. */
function boundAt(target: string, wanted: string): 'same' | number {
  const mounts = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).filter(
    ({ mountPoint }) => mountPoint === target,
  );
  if (mounts.length === 0) return 0;
  const [actual, expected] = [statSync(target), statSync(wanted)];
  return actual.dev === expected.dev && actual.ino === expected.ino ? 'same' : mounts.length;
}

function makeTarget(target: string, isDirectory: boolean): void {
  if (isDirectory) mkdirSync(target, { recursive: true, mode: directoryMode });
  else {
    mkdirSync(dirname(target), { recursive: true, mode: directoryMode });
    writeFileSync(target, '', { flag: 'a' });
  }
}
