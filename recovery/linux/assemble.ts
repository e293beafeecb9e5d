import type { Result } from '../engine/ports.ts';
import { remountFlags } from './attributes.ts';
import type { Carried } from './carry.ts';
import type { KernelContext } from './context.ts';
import type { Descriptors } from './descriptors.ts';
import { parseMountinfo } from './mountinfo.ts';
import { done, failed, inStep } from './result.ts';
import type { Inner } from './stack.ts';
import { AT_FDCWD, MNT_DETACH, MS_BIND, MS_PRIVATE, MS_REC, MS_REMOUNT, O_PATH } from './syscalls.ts';

/** A clone, and what is still to be done to it before anybody may see it. */
export interface Assembly {
  readonly tree: number;
  /** Options of the mount that it was cloned from. */
  readonly present: readonly string[];
  readonly wanted: readonly string[];
  readonly carried: readonly Carried[];
}

/** Whether a clone can only be made ready where it is attached. */
export function needsStaging(context: KernelContext, carried: readonly Carried[]): boolean {
  return context.tier === '5.10' || carried.length > 0;
}

/**
 * Makes one clone ready in the staging namespace, which is being visited, and clones the whole of it again.
 *
 * So a replacement is complete, and read-only, before anything changes where it is going to be seen; attaching it is one
 * call, on every kernel. `place` is a directory of the staging namespace and is empty again afterwards.
 */
export function assemble(context: KernelContext, fds: Descriptors, place: string, assembly: Assembly): Result<number> {
  const { sys } = context;
  const attached = inStep('stage', place, sys.moveMount(assembly.tree, { at: AT_FDCWD, path: place }));
  if (!attached.ok) return attached;
  try {
    const prepared = prepare(context, place, assembly);
    return prepared.ok ? inStep('stage', place, fds.own(cloneOf(context, place))) : prepared;
  } finally {
    // Private before detaching: from a shared inner mount the unmount would propagate to the one that is still in use.
    sys.mount({ source: null, target: place, fstype: null, flags: MS_REC | MS_PRIVATE });
    sys.umount(place, MNT_DETACH);
  }
}

function prepare(context: KernelContext, place: string, { tree, present, wanted, carried }: Assembly): Result<void> {
  if (context.tier === '5.10') {
    const changed = remount(context, place, wanted, present);
    if (!changed.ok) return inStep('set-attributes', place, changed);
  }
  for (const one of carried) {
    const moved = putInside(context, tree, one);
    if (!moved.ok) return inStep('inner-mounts', one.path, moved);
  }
  return carried.length === 0 ? done : checkComplete(context, place, carried);
}

function putInside(
  context: KernelContext,
  tree: number,
  { path, tree: inner, elsewhere, mount }: Carried,
): Result<void> {
  const { sys, namespaces, walker, tier } = context;
  const directory = walker.open(tree, path);
  if (!directory.ok) return directory;
  try {
    const moved = sys.moveMount(inner, { at: directory.value, path: '' });
    if (!moved.ok || !elsewhere || tier !== '5.10') return moved;
    return namespaces.withPathOf(inner, (target) => remount(context, target, mount.options, []));
  } finally {
    sys.close(directory.value);
  }
}

function remount(
  { sys }: KernelContext,
  target: string,
  wanted: readonly string[],
  present: readonly string[],
): Result<void> {
  const alone = sys.mount({ source: null, target, fstype: null, flags: MS_PRIVATE });
  if (!alone.ok) return alone;
  const flags = MS_REMOUNT | MS_BIND | remountFlags(wanted, present);
  return sys.mount({ source: null, target, fstype: null, flags });
}

/** A recursive clone leaves unbindable mounts out; that may not go unseen. */
function checkComplete(context: KernelContext, place: string, carried: readonly Carried[]): Result<void> {
  const { sys, namespaces } = context;
  const table = namespaces.openTable();
  if (!table.ok) return inStep('inner-mounts', place, table);
  try {
    const text = sys.readText(table.value);
    if (!text.ok) return inStep('inner-mounts', place, text);
    const present = new Set(parseMountinfo(text.value).map((mount) => mount.mountPoint));
    for (const path of expectedPaths(carried)) {
      if (!present.has(`${place}/${path}`)) {
        return failed({ errno: 'ENOENT', call: 'move_mount', path, step: 'inner-mounts' });
      }
    }
    return done;
  } finally {
    sys.close(table.value);
  }
}

function expectedPaths(carried: readonly Carried[]): readonly string[] {
  const below = (path: string, inside: readonly Inner[]): readonly string[] =>
    inside.flatMap((one) => [`${path}/${one.relative}`, ...below(`${path}/${one.relative}`, one.inside)]);
  return carried.flatMap(({ path, inside }) => [path, ...below(path, inside)]);
}

function cloneOf({ sys }: KernelContext, place: string): Result<number> {
  const opened = sys.openat2({ at: AT_FDCWD, path: place, flags: O_PATH, resolve: 0 });
  if (!opened.ok) return opened;
  try {
    return sys.cloneTree(opened.value, true);
  } finally {
    sys.close(opened.value);
  }
}
