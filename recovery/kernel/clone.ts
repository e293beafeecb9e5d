import type { LiveSource, Mount } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import type { KernelContext } from './context.ts';
import { failed, inStep, ok } from './result.ts';
import { belowRoot, topMount } from './stack.ts';
import { AT_FDCWD, O_PATH, RESOLVE_NO_SYMLINKS, type Syscalls } from './syscalls.ts';

/** Opens what is seen at a path, never through a symbolic link. Asks no daemon where no FUSE mount lies on the way. */
export function openPath(sys: Syscalls, path: string): Result<number> {
  return sys.openat2({ at: AT_FDCWD, path, flags: O_PATH, resolve: RESOLVE_NO_SYMLINKS });
}

type Cloner = Pick<KernelContext, 'sys' | 'walker'>;

/** A clone that is attached nowhere, and how the mount that it was made of looks. */
export interface SourceClone {
  readonly tree: number;
  readonly options: readonly string[];
}

/**
 * Clones the source, or the directory of it that belongs at the place, in the namespace that is being visited.
 *
 * ESTALE: another filesystem than the one that was read stands at the path by now. ENOENT: it has no such directory.
 */
export function cloneSource(cloner: Cloner, source: LiveSource, table: readonly Mount[]): Result<SourceClone> {
  const { sys } = cloner;
  const step = 'clone-source';
  const mount = topMount(table, source.path, source.device);
  const subdirectory = belowRoot(mount?.root ?? '/', source.root);
  if (subdirectory === undefined) {
    return failed({ errno: 'ENOENT', call: 'open_tree', path: `${source.path} (${source.root})`, step });
  }
  const opened = openPath(sys, source.path);
  if (!opened.ok) return inStep(step, source.path, opened);
  try {
    const identity = sys.identify(opened.value);
    if (!identity.ok) return inStep(step, source.path, identity);
    if (identity.value.device !== source.device || !identity.value.isMountRoot) {
      return failed({ errno: 'ESTALE', call: 'statx', path: source.path, step });
    }
    const tree = inStep(step, source.path, cloneBelow(cloner, opened.value, subdirectory));
    return tree.ok ? ok({ tree: tree.value, options: mount?.options ?? [] }) : tree;
  } finally {
    sys.close(opened.value);
  }
}

function cloneBelow({ sys, walker }: Cloner, fd: number, subdirectory: string): Result<number> {
  if (subdirectory === '') return sys.cloneTree(fd, false);
  const directory = walker.open(fd, subdirectory);
  if (!directory.ok) return directory;
  try {
    return sys.cloneTree(directory.value, false);
  } finally {
    sys.close(directory.value);
  }
}
