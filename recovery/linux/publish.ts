import type { LiveSource, Mount } from '../engine/model.ts';
import { mayBeSource } from '../engine/mount-sites.ts';
import type { Result } from '../engine/ports.ts';
import { type Assembly, assemble, needsStaging } from './assemble.ts';
import { attributeChange, wantedOptions } from './attributes.ts';
import { Descriptors, type KernelContext, openPath, openSource } from './context.ts';
import { done, failed, inStep, ok } from './result.ts';

/** The mount operations of the CSI node service. Paths are those of the node's mount namespace. */
export interface Publisher {
  /**
   * Mounts the source, or a directory of it, on the target path, and creates that directory if it is missing. The new mount is a
   * private clone, so that later mounts on one target path never propagate to another. EBUSY if the target path is a mount already.
   */
  publish(request: { readonly source: string; readonly target: string; readonly readOnly: boolean }): Result<void>;
  /** Detaches every mount at the target, dead ones too. Succeeds if nothing is mounted or the directory is missing. */
  unpublish(target: string): Result<void>;
  /** Removes the target directory, which must be empty. Succeeds if it is missing. */
  removeTarget(target: string): Result<void>;
}

export function createPublisher(context: KernelContext): Publisher {
  return {
    publish: (request) => publish(context, request),
    unpublish: (target) => unpublish(context, target),
    removeTarget: (target) =>
      context.namespaces.inNode(() => accepting('ENOENT', inStep('rmdir', target, context.sys.rmdir(target)))),
  };
}

function publish(
  context: KernelContext,
  { source, target, readOnly }: { readonly source: string; readonly target: string; readonly readOnly: boolean },
): Result<void> {
  using fds = new Descriptors(context.sys);
  const table = context.nodeTable();
  if (!table.ok) return table;
  const live = sourceAt(table.value, source);
  if (live === undefined) return failed({ errno: 'ESTALE', call: 'open_tree', path: source, step: 'clone-source' });
  context.walker.prepare(live.path !== source);
  const cloned = context.namespaces.inNode<Assembly>(() => {
    const opened = openSource(context, fds, live, table.value);
    if (!opened.ok) return opened;
    const { fd, options } = opened.value;
    const tree = fds.own(inStep('clone-source', source, context.sys.cloneTree(fd, false)));
    if (!tree.ok) return tree;
    const wanted = wantedOptions(options, readOnly);
    if (context.tier !== '5.10') {
      const changed = context.sys.setAttributes(tree.value, attributeChange(wanted));
      if (!changed.ok) return inStep('set-attributes', target, changed);
    }
    return ok({ tree: tree.value, present: options, wanted, carried: [] });
  });
  if (!cloned.ok) return cloned;

  const whole = needsStaging(context, [])
    ? context.staging.enter(() => assemble(context, fds, '/0', cloned.value))
    : ok(cloned.value.tree);
  if (!whole.ok) return whole;
  return context.namespaces.inNode(() => attachAt(context, fds, whole.value, target));
}

function attachAt(context: KernelContext, fds: Descriptors, tree: number, target: string): Result<void> {
  // Safe below the kubelet's directories, which only root can write to.
  const made = accepting('EEXIST', inStep('mkdir', target, context.sys.mkdir(target, 0o750)));
  if (!made.ok) return made;
  const opened = fds.own(openPath(context, target));
  if (!opened.ok) return inStep('open-target', target, opened);
  const identity = context.sys.identify(opened.value);
  if (!identity.ok) return inStep('open-target', target, identity);
  if (identity.value.isMountRoot) {
    return failed({ errno: 'EBUSY', call: 'move_mount', path: target, step: 'attach' });
  }
  return inStep('attach', target, context.sys.moveMount(tree, { at: opened.value, path: '' }));
}

/**
 * The source mount that contains a path, from the table alone: the deepest mount on the way, and the topmost of a stack. Undefined if
 * that may not be a source, so that the bare directory below a missing source mount is never published.
 */
function sourceAt(table: readonly Mount[], path: string): LiveSource | undefined {
  let found: Mount | undefined;
  for (const mount of table) {
    const { mountPoint } = mount;
    if (path !== mountPoint && !path.startsWith(mountPoint === '/' ? '/' : `${mountPoint}/`)) continue;
    if (found === undefined || mountPoint.length > found.mountPoint.length || mount.parentId === found.id)
      found = mount;
  }
  if (found === undefined || !mayBeSource(found)) return undefined;
  const rest = path.slice(found.mountPoint === '/' ? 0 : found.mountPoint.length);
  const root = found.root === '/' ? rest || '/' : `${found.root}${rest}`;
  return { path: found.mountPoint, device: found.device, root };
}

function unpublish(context: KernelContext, target: string): Result<void> {
  const step = 'detach';
  context.walker.prepare(false);
  return context.namespaces.inNode(() => {
    for (;;) {
      const opened = openPath(context, target);
      if (!opened.ok) return opened.failure.errno === 'ENOENT' ? done : inStep('open-target', target, opened);
      try {
        const identity = context.sys.identify(opened.value);
        if (!identity.ok) return inStep(step, target, identity);
        if (!identity.value.isMountRoot) break;
        const detached = context.namespaces.detach(opened.value);
        if (!detached.ok) return inStep(step, target, detached);
      } finally {
        context.sys.close(opened.value);
      }
    }
    const table = context.nodeTable();
    if (!table.ok) return table;
    const isStillMounted = table.value.some((mount) => mount.mountPoint === target);
    return isStillMounted ? failed({ errno: 'EBUSY', call: 'umount2', path: target, step }) : done;
  });
}

/** Succeeds with that errno, too. */
function accepting(errno: string, result: Result<void>): Result<void> {
  return result.ok || result.failure.errno !== errno ? result : done;
}
