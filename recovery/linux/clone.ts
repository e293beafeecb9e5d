import type { LiveSource, Mount } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import type { KernelContext } from './context.ts';
import type { Descriptors } from './descriptors.ts';
import { failed, inStep, ok } from './result.ts';
import { belowRoot, topMount } from './stack.ts';
import { AT_FDCWD, O_PATH, RESOLVE_NO_SYMLINKS, type Syscalls } from './syscalls.ts';

/** Opens what is seen at a path, never through a symbolic link. Asks no daemon where no FUSE mount lies on the way. */
export function openPath(sys: Syscalls, path: string): Result<number> {
  return sys.openat2({ at: AT_FDCWD, path, flags: O_PATH, resolve: RESOLVE_NO_SYMLINKS });
}

type Cloner = Pick<KernelContext, 'sys' | 'walker'>;

/** A source, or the directory of it that belongs at a site, to be cloned from, and how its mount looks. */
export interface OpenSource {
  readonly fd: number;
  readonly options: readonly string[];
}

/**
 * Opens what a site is to show, in the namespace that is being visited.
 *
 * ESTALE: another filesystem than the one that was read stands at the path by now. ENOENT: it has no such directory.
 */
export function openSource(
  { sys, walker }: Cloner,
  fds: Descriptors,
  source: LiveSource,
  table: readonly Mount[],
): Result<OpenSource> {
  const step = 'clone-source';
  const mount = topMount(table, source.path, source.device);
  const subdirectory = belowRoot(mount?.root ?? '/', source.root);
  if (subdirectory === undefined) {
    return failed({ errno: 'ENOENT', call: 'open_tree', path: `${source.path} (${source.root})`, step });
  }
  const opened = fds.own(openPath(sys, source.path));
  if (!opened.ok) return inStep(step, source.path, opened);
  const identity = sys.identify(opened.value);
  if (!identity.ok) return inStep(step, source.path, identity);
  if (identity.value.device !== source.device || !identity.value.isMountRoot) {
    return failed({ errno: 'ESTALE', call: 'statx', path: source.path, step });
  }
  const directory = subdirectory === '' ? opened : fds.own(walker.open(opened.value, subdirectory));
  if (!directory.ok) return inStep(step, source.path, directory);
  return ok({ fd: directory.value, options: mount?.options ?? [] });
}
