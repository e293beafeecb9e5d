import type { Result } from '../engine/ports.ts';
import { remountFlags } from './attributes.ts';
import type { CarriedMount } from './carry.ts';
import type { Descriptors, KernelContext } from './context.ts';
import { parseMountinfo } from './mountinfo.ts';
import { done, failed, inStep, ok } from './result.ts';
import type { InnerMount } from './stack.ts';
import { AT_FDCWD, MNT_DETACH, MS_BIND, MS_PRIVATE, MS_REC, MS_REMOUNT, O_PATH } from './syscalls.ts';

/** A clone with the changes that it still needs before it may be visible to others. */
export interface Assembly {
  readonly tree: number;
  /** Options of the mount that was cloned. */
  readonly present: readonly string[];
  readonly wanted: readonly string[];
  readonly carried: readonly CarriedMount[];
}

/** Whether a clone must be attached before it can be completed. */
export function needsStaging(context: KernelContext, carried: readonly CarriedMount[]): boolean {
  return context.tier === '5.10' || carried.length > 0;
}

/**
 * Completes one clone in the staging namespace, which is being visited, and returns a clone of the result.
 *
 * The replacement is thus complete and read-only before anything changes at the site, and attaching it is a single call on every
 * kernel. `mountPoint` is a directory of the staging namespace and is free again afterwards.
 */
export function assemble(
  context: KernelContext,
  fds: Descriptors,
  mountPoint: string,
  assembly: Assembly,
): Result<number> {
  const { sys } = context;
  const attached = inStep('stage', mountPoint, sys.moveMount(assembly.tree, { at: AT_FDCWD, path: mountPoint }));
  if (!attached.ok) return attached;
  try {
    const prepared = prepare(context, mountPoint, assembly);
    return prepared.ok ? inStep('stage', mountPoint, fds.own(cloneOf(context, mountPoint))) : prepared;
  } finally {
    // Private first: the unmount of a shared inner mount would propagate to its peer that is in use.
    sys.mount({ source: null, target: mountPoint, fstype: null, flags: MS_REC | MS_PRIVATE });
    sys.umount(mountPoint, MNT_DETACH);
  }
}

function prepare(
  context: KernelContext,
  mountPoint: string,
  { tree, present, wanted, carried }: Assembly,
): Result<void> {
  if (context.tier === '5.10') {
    const changed = remount(context, mountPoint, wanted, present);
    if (!changed.ok) return inStep('set-attributes', mountPoint, changed);
  }
  for (const inner of carried) {
    const moved = putInside(context, tree, inner);
    if (!moved.ok) return inStep('inner-mounts', inner.path, moved);
  }
  return carried.length === 0 ? done : checkComplete(context, mountPoint, carried);
}

function putInside(
  context: KernelContext,
  tree: number,
  { path, tree: inner, elsewhere, mount, directory }: CarriedMount,
): Result<void> {
  const { sys, namespaces, walker, tier } = context;
  const opened = directory === undefined ? walker.open(tree, path) : ok(directory);
  if (!opened.ok) return opened;
  const moved = sys.moveMount(inner, { at: opened.value, path: '' });
  if (directory === undefined) sys.close(opened.value);
  if (!moved.ok || !elsewhere || tier !== '5.10') return moved;
  return namespaces.withPathOf(inner, (target) => remount(context, target, mount.options, []));
}

function remount(
  { sys }: KernelContext,
  target: string,
  wanted: readonly string[],
  present: readonly string[],
): Result<void> {
  const isolated = sys.mount({ source: null, target, fstype: null, flags: MS_PRIVATE });
  if (!isolated.ok) return isolated;
  const flags = MS_REMOUNT | MS_BIND | remountFlags(wanted, present);
  return sys.mount({ source: null, target, fstype: null, flags });
}

/** A recursive clone silently leaves out unbindable mounts, which must not be lost. */
function checkComplete(context: KernelContext, mountPoint: string, carried: readonly CarriedMount[]): Result<void> {
  const { sys, namespaces } = context;
  const table = namespaces.openTable();
  if (!table.ok) return inStep('inner-mounts', mountPoint, table);
  try {
    const text = sys.readText(table.value);
    if (!text.ok) return inStep('inner-mounts', mountPoint, text);
    const present = new Set(parseMountinfo(text.value).map((mount) => mount.mountPoint));
    for (const path of expectedPaths(carried)) {
      if (!present.has(`${mountPoint}/${path}`)) {
        return failed({ errno: 'ENOENT', call: 'move_mount', path, step: 'inner-mounts' });
      }
    }
    return done;
  } finally {
    sys.close(table.value);
  }
}

function expectedPaths(carried: readonly CarriedMount[]): readonly string[] {
  const below = (path: string, inside: readonly InnerMount[]): readonly string[] =>
    inside.flatMap(({ relative, inside }) => [`${path}/${relative}`, ...below(`${path}/${relative}`, inside)]);
  return carried.flatMap(({ path, inside }) => [path, ...below(path, inside)]);
}

function cloneOf({ sys }: KernelContext, mountPoint: string): Result<number> {
  const opened = sys.openat2({ at: AT_FDCWD, path: mountPoint, flags: O_PATH, resolve: 0 });
  if (!opened.ok) return opened;
  try {
    return sys.cloneTree(opened.value, true);
  } finally {
    sys.close(opened.value);
  }
}
