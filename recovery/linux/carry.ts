import type { Mount } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { attributeChange } from './attributes.ts';
import { type Descriptors, type KernelContext, openPath } from './context.ts';
import { failed, inStep, ok } from './result.ts';
import { type InnerMount, mountedElsewhere } from './stack.ts';
import { RESOLVE_NO_SYMLINKS } from './syscalls.ts';
import { openCached } from './walker.ts';

/** A clone of a mount inside the dead one, to be put into the replacement. */
export interface CarriedMount {
  readonly mount: Mount;
  /** Path relative to the replaced mount, without a leading slash. */
  readonly path: string;
  readonly tree: number;
  /** The mounts inside it that the clone includes. */
  readonly inside: readonly InnerMount[];
  /** Whether it is a clone of another mount of the same directory, which may have other options and propagation. */
  readonly elsewhere: boolean;
  /** The directory of the replacement that it will be mounted on, opened; missing if it is inside another carried mount. */
  readonly directory?: number;
}

/** An inner mount that could not be opened through the dead mount; the node may have another mount of it. */
export interface UnreachedMount {
  readonly inner: InnerMount;
  readonly path: string;
}

/**
 * Clones the mounts inside a dead one, in the namespace that is being visited; `root` is the dead mount's descriptor.
 *
 * Paths below a dead root are opened from the kernel's cache only: a look-up would fail and make the kernel drop the very mounts
 * that must be kept.
 */
export function reachInner(
  context: KernelContext,
  fds: Descriptors,
  root: number,
  inners: readonly InnerMount[],
): { readonly carried: readonly CarriedMount[]; readonly unreached: readonly UnreachedMount[] } {
  const carried: CarriedMount[] = [];
  const unreached: UnreachedMount[] = [];
  for (const inner of inners) {
    const { mount, relative: path, inside } = inner;
    const tree = fds.own(cloneCached(context, root, inner));
    if (tree.ok) carried.push({ mount, path, tree: tree.value, inside, elsewhere: false });
    else unreached.push({ inner, path });
  }
  return { carried, unreached };
}

function cloneCached({ sys }: KernelContext, at: number, { mount, relative }: InnerMount): Result<number> {
  const opened = openCached(sys, { at, path: relative, resolve: RESOLVE_NO_SYMLINKS });
  if (!opened?.ok)
    return opened ?? failed({ errno: 'EAGAIN', call: 'openat2', path: mount.mountPoint, step: 'inner-mounts' });
  try {
    const identity = sys.identify(opened.value);
    if (!identity.ok) return identity;
    if (identity.value.mountId !== mount.id || identity.value.device !== mount.device) {
      return failed({ errno: 'ESTALE', call: 'statx', path: mount.mountPoint, step: 'inner-mounts' });
    }
    return sys.cloneTree(opened.value, true);
  } finally {
    sys.close(opened.value);
  }
}

/**
 * Clones, in the node's namespace, other mounts of the same filesystems. Fails if one of them is missing.
 *
 * The mounts inside them are searched one by one, because the node may have other mounts inside than the container.
 */
export function reachElsewhere(
  context: KernelContext,
  fds: Descriptors,
  unreached: readonly UnreachedMount[],
  node: readonly Mount[],
): Result<readonly CarriedMount[]> {
  const carried: CarriedMount[] = [];
  for (const { inner, path } of unreached) {
    const clone = cloneElsewhere(context, fds, inner.mount, node);
    if (!clone.ok) return clone;
    carried.push({ mount: inner.mount, path, tree: clone.value, inside: [], elsewhere: true });
    const inside = inner.inside.map((mount) => ({ inner: mount, path: `${path}/${mount.relative}` }));
    const more = reachElsewhere(context, fds, inside, node);
    if (!more.ok) return more;
    carried.push(...more.value);
  }
  return ok(carried);
}

function cloneElsewhere(
  context: KernelContext,
  fds: Descriptors,
  mount: Mount,
  node: readonly Mount[],
): Result<number> {
  const step = 'inner-mounts';
  let failure: Result<never> = failed({ errno: 'EAGAIN', call: 'openat2', path: mount.mountPoint, step });
  // One that is covered cannot be opened.
  for (const other of mountedElsewhere(mount, node)) {
    const clone = cloneOf(context, fds, mount, other);
    if (clone.ok) return clone;
    failure = inStep(step, other.path, clone);
  }
  return failure;
}

function cloneOf(
  context: KernelContext,
  fds: Descriptors,
  mount: Mount,
  { mount: { id }, path }: { readonly mount: Mount; readonly path: string },
): Result<number> {
  const { sys, tier } = context;
  const opened = openPath(context, path);
  if (!opened.ok) return opened;
  try {
    const identity = sys.identify(opened.value);
    if (!identity.ok) return identity;
    if (identity.value.mountId !== id || identity.value.device !== mount.device)
      return failed({ errno: 'ESTALE', call: 'statx', path, step: '' });
    const tree = fds.own(sys.cloneTree(opened.value, false));
    if (!tree.ok || tier === '5.10') return tree;
    const changed = sys.setAttributes(tree.value, attributeChange(mount.options));
    return changed.ok ? tree : changed;
  } finally {
    sys.close(opened.value);
  }
}

/**
 * Opens the directories of a replacement that carried mounts will be mounted on. EINPROGRESS: they are being looked up in this clone of
 * the source, which must be kept for the next attempt.
 */
export function withDirectories(
  { walker }: KernelContext,
  fds: Descriptors,
  tree: number,
  carried: readonly CarriedMount[],
): Result<readonly CarriedMount[]> {
  const found: CarriedMount[] = [];
  for (const inner of carried) {
    const isInside = carried.some(({ path }) => inner.path.startsWith(`${path}/`));
    const directory = isInside ? undefined : fds.own(walker.open(tree, inner.path));
    if (directory?.ok === false) return inStep('inner-mounts', inner.path, directory);
    found.push(directory === undefined ? inner : { ...inner, directory: directory.value });
  }
  return ok(found);
}
