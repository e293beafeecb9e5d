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
import type { SubPathMount } from './sub-path.ts';

const directoryMode = 0o750;

/**
 * Binds a subPath as the kubelet does (`pkg/volume/util/subpath`): symbolic links are followed as long as they stay in the volume,
 * and what was found is opened without following any. A sentence where it cannot be done; throws where the volume does not answer.
 */
export function bindBeneath(sys: Syscalls, { volume, subPath, target }: SubPathMount): string | undefined {
  const base = realpathSync(volume);
  const found = resolveWithin(base, subPath);
  if ('refused' in found) return found.refused;
  // What was a directory a moment ago may be a symbolic link by now: no component of the path is followed any more.
  const opened = openBeneath(sys, base, relative(base, found.path));
  if (!opened.ok) return `subpath "${subPath}" of "${volume}" changed while it was opened: ${opened.failure.errno}`;
  const fd = opened.value;
  const own = `/proc/self/fd/${fd}`;
  const bound = boundAt(target, own);
  if (bound === 'same') return undefined;
  for (let left = bound; left > 0; left--) sys.umount(target, MNT_DETACH);
  makeTarget(target, statSync(own).isDirectory());
  const tree = sys.cloneTree(fd, false);
  if (!tree.ok) return `open_tree: ${tree.failure.errno}`;
  const moved = sys.moveMount(tree.value, { at: AT_FDCWD, path: target });
  return moved.ok ? undefined : `move_mount on ${target}: ${moved.failure.errno}`;
}

/** Symbolic links of the volume are followed, as long as they stay in it; a directory that is missing is made. */
function resolveWithin(base: string, subPath: string): { readonly path: string } | { readonly refused: string } {
  const path = join(base, subPath);
  const refused = (seen: string) => ({ refused: `subpath "${seen}" not within volume path "${base}"` });
  const isWithin = (seen: string) => seen === base || seen.startsWith(`${base}${sep}`);
  try {
    const real = realpathSync(path);
    return isWithin(real) ? { path: real } : refused(real);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  let existing = path;
  while (!lstatSync(existing, { throwIfNoEntry: false })) existing = dirname(existing);
  const real = realpathSync(existing);
  if (!isWithin(real)) return refused(real);
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

/** What was bound there by an earlier start of the container: the same, or so many mounts of something else. */
function boundAt(target: string, wanted: string): 'same' | number {
  const mounts = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).filter(
    ({ mountPoint }) => mountPoint === target,
  );
  if (mounts.length === 0) return 0;
  const [there, want] = [statSync(target), statSync(wanted)];
  return there.dev === want.dev && there.ino === want.ino ? 'same' : mounts.length;
}

function makeTarget(target: string, isDirectory: boolean): void {
  if (isDirectory) mkdirSync(target, { recursive: true, mode: directoryMode });
  else {
    mkdirSync(dirname(target), { recursive: true, mode: directoryMode });
    writeFileSync(target, '', { flag: 'a' });
  }
}
