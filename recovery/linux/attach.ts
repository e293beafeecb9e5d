import type { Mount } from '../engine/model.ts';
import { isFuse } from '../engine/mount-sites.ts';
import type { Replacement, Result } from '../engine/ports.ts';
import { type KernelContext, makePrivate, openPath } from './context.ts';
import { failed, inStep, ok } from './result.ts';
import { flattened, type IndexedTable, innerMounts, stackState } from './stack.ts';

/** Number of mounts at the site before and after. */
export type Layers = readonly [before: number, after: number];

/** A complete replacement, read-only and with all inner mounts, that is attached nowhere yet. */
export interface Attachment {
  readonly replacement: Replacement;
  readonly tree: number;
  /** Number of inner mounts in it. */
  readonly carried: number;
}

/**
 * Replaces the dead mount of a site, in the namespace that is being visited.
 *
 * `table` returns the namespace's current mount table. ESTALE: the site has changed since the snapshot; nothing was done.
 */
export function attach(
  context: KernelContext,
  attachment: Attachment,
  table: () => Result<IndexedTable>,
): Result<Layers> {
  const quick = attachAtOnce(context, attachment);
  if (quick !== undefined) return quick;
  const { replacement, carried } = attachment;
  const tree = table();
  if (!tree.ok) return tree;
  const before = replacement.stack.length;
  const state = stackState(tree.value, replacement.stack);
  const top = replacement.remove;
  if (state.state === 'changed') return stale(replacement);
  if (state.state === 'covered') {
    return healedByPropagation(replacement, state.by) ? ok([before, before + 1]) : stale(replacement);
  }
  // A mount was added inside since the snapshot. The next pass sees it and carries it over.
  if (carried < flattened(innerMounts(top, tree.value, [])).length) return stale(replacement);

  return withTop(context, top, (fd) => {
    if (context.tier !== '6.5') return stack(context, attachment, fd);
    const leftover = leftoverBeneath(replacement);
    if (leftover !== undefined) return replaceBoth(context, attachment, leftover, fd);
    const beneath = attachBeneath(context, attachment, top, fd);
    // The mount is locked, inherited into the pod's user namespace: nothing can be attached beneath it, and it cannot be detached.
    return beneath ?? stack(context, attachment, fd);
  });
}

/**
 * The bottom layer, if an agent attached it beneath the top and died before it detached the top, and its daemon has been replaced
 * since. Nothing else would ever remove it.
 */
function leftoverBeneath(replacement: Replacement): Mount | undefined {
  const [bottom, ...above] = replacement.stack;
  return bottom !== undefined && above.length === 1 && isEarlierInstance(bottom, replacement) ? bottom : undefined;
}

/** Detaches the top first: the application sees the leftover, and never the directory. */
function replaceBoth(context: KernelContext, attachment: Attachment, leftover: Mount, fd: number): Result<Layers> {
  const path = leftover.mountPoint;
  const before = attachment.replacement.stack.length;
  const detached = detachTop(context, fd, attachment.carried > 0);
  if (!detached.ok && detached.failure.errno === 'EINVAL') return stack(context, attachment, fd);
  if (!detached.ok) return inStep('detach', path, detached);
  return withTop(context, leftover, (lower) => {
    const beneath = attachBeneath(context, attachment, leftover, lower);
    if (beneath !== undefined) return beneath.ok ? ok<Layers>([before, before - 1]) : beneath;
    const attached = attachOnTop(context, attachment.tree, lower);
    return attached.ok ? ok<Layers>([before, before]) : inStep('attach-on-top', path, attached);
  });
}

/**
 * The fast path without the mount table, whose reading takes longer than everything else: the kernel confirms that the dead mount is
 * still the visible one, on the same parent, with no mount inside or on top. Undefined if it does not, or cannot tell.
 */
function attachAtOnce(context: KernelContext, attachment: Attachment): Result<Layers> | undefined {
  const { replacement, carried } = attachment;
  const top = replacement.remove;
  if (context.tier !== '6.5' || carried > 0 || replacement.below.length > 0) return undefined;
  if (leftoverBeneath(replacement) !== undefined) return undefined;
  const attached = withTop(context, top, (fd) => {
    const placement = context.sys.placement(fd);
    if (!placement.ok || placement.value.carries || placement.value.parentId !== top.parentId) return ok(undefined);
    const beneath = attachBeneath(context, attachment, top, fd);
    return beneath === undefined || beneath.ok ? ok(beneath?.value) : beneath;
  });
  if (attached.ok) return attached.value === undefined ? undefined : ok(attached.value);
  // Another mount is visible at the site. The slow path finds out from the table.
  return ['open-mount', 'check-stack'].includes(attached.failure.step) ? undefined : attached;
}

/** Undefined if the mount is locked. */
function attachBeneath(
  context: KernelContext,
  { replacement, tree, carried }: Attachment,
  top: Mount,
  fd: number,
): Result<Layers> | undefined {
  const before = replacement.stack.length;
  const beneath = context.sys.moveMount(tree, { at: fd, path: '', beneath: true });
  if (!beneath.ok && beneath.failure.errno === 'EINVAL') return undefined;
  if (!beneath.ok) return inStep('attach-beneath', top.mountPoint, beneath);
  const detached = detachTop(context, fd, carried > 0);
  return detached.ok ? ok<Layers>([before, before]) : inStep('detach', top.mountPoint, detached);
}

/** Detaches a dead mount that already has the live one beneath it. */
export function finish(
  context: KernelContext,
  replacement: Replacement,
  read: () => Result<IndexedTable>,
): Result<Layers> {
  const tree = read();
  if (!tree.ok) return tree;
  const table = tree.value;
  const top = replacement.remove;
  const live = replacement.stack.at(-2);
  if (stackState(table, replacement.stack).state !== 'same') return stale(replacement);
  if (live?.device !== replacement.source.device || top.device === live.device) return stale(replacement);
  // A mount was added inside since the snapshot. The next pass sees it and carries it over.
  if (!innerAreBeneath(replacement, table)) return stale(replacement);
  const before = replacement.stack.length;
  return withTop(context, top, (fd) => {
    const detached = detachTop(context, fd, innerMounts(top, table, []).length > 0);
    return detached.ok ? ok<Layers>([before, before - 1]) : inStep('detach', top.mountPoint, detached);
  });
}

/** Whether the live mount beneath has all inner mounts of the dead one. */
export function innerAreBeneath(replacement: Replacement, table: IndexedTable): boolean {
  const top = replacement.remove;
  const live = replacement.stack.at(-2);
  if (live === undefined) return false;
  const beneath = flattened(innerMounts(live, table, []));
  return flattened(innerMounts(top, table, replacement.below)).every(({ mount }) =>
    beneath.some(
      (other) =>
        other.mount.mountPoint === mount.mountPoint &&
        other.mount.device === mount.device &&
        other.mount.root === mount.root,
    ),
  );
}

/**
 * Attaches on top of the dead mount, for kernels and mounts that do not allow attaching beneath. The table grows by one layer only: if another
 * dead FUSE mount lies beneath, the top is detached first, and the application still sees a dead mount and never the directory.
 */
function stack(context: KernelContext, { replacement, tree, carried }: Attachment, fd: number): Result<Layers> {
  const before = replacement.stack.length;
  const second = replacement.stack.at(-2);
  const path = replacement.remove.mountPoint;

  if (second !== undefined && isEarlierInstance(second, replacement)) {
    const detached = detachTop(context, fd, carried > 0);
    if (detached.ok) {
      return withTop(context, second, (lower) => {
        const attached = attachOnTop(context, tree, lower);
        return attached.ok ? ok<Layers>([before, before]) : inStep('attach-on-top', path, attached);
      });
    }
    if (detached.failure.errno !== 'EINVAL') return inStep('detach', path, detached);
  }
  const attached = attachOnTop(context, tree, fd);
  return attached.ok ? ok<Layers>([before, before + 1]) : inStep('attach-on-top', path, attached);
}

/** Whether a lower layer is left from an earlier crash. The application must not see the files of any other mount, even briefly. */
function isEarlierInstance(layer: Mount, { remove: top, source }: Replacement): boolean {
  if (!isFuse(layer) || layer.device === source.device) return false;
  return layer.fstype === top.fstype && layer.mountSource === top.mountSource;
}

/**
 * The dead mount leaves its peer group first, so that the new mount does not propagate to other namespaces; each namespace is
 * recovered by its own replacement. Mounts inside the dead one stay in their groups and are hidden.
 */
function attachOnTop(context: KernelContext, tree: number, fd: number): Result<void> {
  const isolated = makePrivate(context, fd, false);
  return isolated.ok ? context.sys.moveMount(tree, { at: fd, path: '' }) : isolated;
}

function detachTop(context: KernelContext, fd: number, hasInner: boolean): Result<void> {
  // The unmount of a shared inner mount would propagate to its clone in the replacement.
  const isolated = hasInner ? makePrivate(context, fd, true) : ok(undefined);
  return isolated.ok ? context.namespaces.detach(fd) : isolated;
}

/** Opens the visible mount of a mount point, and fails with ESTALE if it is not `top`. */
function withTop<T>(context: KernelContext, top: Mount, run: (fd: number) => Result<T>): Result<T> {
  const { sys } = context;
  const opened = openPath(context, top.mountPoint);
  if (!opened.ok) return inStep('open-mount', top.mountPoint, opened);
  try {
    const identity = sys.identify(opened.value);
    if (!identity.ok) return inStep('check-stack', top.mountPoint, identity);
    if (identity.value.mountId !== top.id || identity.value.device !== top.device) {
      return failed({ errno: 'ESTALE', call: 'statx', path: top.mountPoint, step: 'check-stack' });
    }
    return run(opened.value);
  } finally {
    context.late.close(opened.value);
  }
}

function healedByPropagation(replacement: Replacement, by: Mount): boolean {
  const top = replacement.remove;
  if (by.device !== replacement.source.device || by.root !== replacement.source.root) return false;
  if (replacement.readOnly && !by.options.includes('ro')) return false;
  return by.options.includes('idmapped') === top.options.includes('idmapped');
}

function stale(replacement: Replacement): Result<never> {
  const path = replacement.site.path;
  return failed({ errno: 'ESTALE', call: 'read', path, step: 'check-stack' });
}
