import type { Mount } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { attributeChange } from './attributes.ts';
import { openPath } from './clone.ts';
import type { KernelContext } from './context.ts';
import type { Descriptors } from './descriptors.ts';
import { failed, inStep, ok } from './result.ts';
import { type Inner, mountedElsewhere } from './stack.ts';
import { O_PATH, RESOLVE_CACHED, RESOLVE_NO_SYMLINKS } from './syscalls.ts';

/** A mount inside the one that is replaced, cloned so that it can be put into the replacement. */
export interface Carried {
  readonly mount: Mount;
  /** Path from the replaced mount, without a leading slash. */
  readonly path: string;
  readonly tree: number;
  /** Whether the clone holds the mounts inside it too. */
  readonly inside: readonly Inner[];
  /** Where the clone was made from another mount, which may have other options and propagation. */
  readonly elsewhere: boolean;
}

/** One that could not be reached from the dead mount; to be looked for on the node. */
export interface Unreached {
  readonly inner: Inner;
  readonly path: string;
}

/**
 * Clones the mounts inside a dead one, in the namespace that is being visited; `root` is the dead mount's descriptor.
 *
 * The way below a dead root is only ever taken from the kernel's memory: a look-up would fail, and make the kernel drop the very
 * mounts that are to be saved.
 */
export function reachInner(
  context: KernelContext,
  fds: Descriptors,
  root: number,
  inner: readonly Inner[],
): { readonly carried: readonly Carried[]; readonly unreached: readonly Unreached[] } {
  const carried: Carried[] = [];
  const unreached: Unreached[] = [];
  for (const one of inner) {
    const path = one.relative;
    const tree = fds.own(cloneCached(context, root, one));
    if (tree.ok) carried.push({ mount: one.mount, path, tree: tree.value, inside: one.inside, elsewhere: false });
    else unreached.push({ inner: one, path });
  }
  return { carried, unreached };
}

function cloneCached({ sys }: KernelContext, at: number, { mount, relative }: Inner): Result<number> {
  const resolve = RESOLVE_CACHED | RESOLVE_NO_SYMLINKS;
  const opened = sys.openat2({ at, path: relative, flags: O_PATH, resolve });
  if (!opened.ok) return opened;
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
 * Clones, in the node's namespace, other mounts of the same filesystems; all of them or none.
 *
 * Mounts inside these are looked for one by one, because the node mounts other things there than the container does.
 */
export function reachElsewhere(
  context: KernelContext,
  fds: Descriptors,
  unreached: readonly Unreached[],
  node: readonly Mount[],
): Result<readonly Carried[]> {
  const carried: Carried[] = [];
  for (const { inner, path } of unreached) {
    const clone = cloneElsewhere(context, fds, inner.mount, node);
    if (!clone.ok) return clone;
    carried.push({ mount: inner.mount, path, tree: clone.value, inside: [], elsewhere: true });
    const inside = inner.inside.map((one) => ({ inner: one, path: `${path}/${one.relative}` }));
    const more = reachElsewhere(context, fds, inside, node);
    if (!more.ok) return more;
    carried.push(...more.value);
  }
  return ok(carried);
}

function cloneElsewhere(
  { sys, tier }: KernelContext,
  fds: Descriptors,
  mount: Mount,
  node: readonly Mount[],
): Result<number> {
  const step = 'inner-mounts';
  const other = mountedElsewhere(mount, node);
  if (other === undefined) return failed({ errno: 'EAGAIN', call: 'openat2', path: mount.mountPoint, step });
  const opened = openPath(sys, other.path);
  if (!opened.ok) return inStep(step, other.path, opened);
  try {
    const identity = sys.identify(opened.value);
    if (!identity.ok) return inStep(step, other.path, identity);
    if (identity.value.mountId !== other.mount.id || identity.value.device !== mount.device) {
      return failed({ errno: 'ESTALE', call: 'statx', path: other.path, step });
    }
    const tree = fds.own(sys.cloneTree(opened.value, false));
    if (!tree.ok || tier === '5.10') return inStep(step, other.path, tree);
    const changed = sys.setAttributes(tree.value, attributeChange(mount.options));
    return changed.ok ? tree : inStep(step, other.path, changed);
  } finally {
    sys.close(opened.value);
  }
}
