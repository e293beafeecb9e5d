import type { Mount, MountSite, RemovableMount } from '../../../recovery/engine/model.ts';
import { isFuse, MountTree } from '../../../recovery/engine/mount-sites.ts';
import type { Replacement, Result } from '../../../recovery/engine/ports.ts';
import { createPublisher } from '../../../recovery/linux/publish.ts';
import { readTable, replaceAll } from '../../../recovery/linux/replace.ts';
import { ok } from '../../../recovery/linux/result.ts';
import {
  MNT_DETACH,
  MNT_FORCE,
  MS_BIND,
  MS_PRIVATE,
  MS_REC,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  RESOLVE_CACHED,
} from '../../../recovery/linux/syscalls.ts';
import type { MountStep } from './history.ts';
import { copyNamespace, type HistoryNode, type Machine, openAt } from './machine.ts';

const propagationFlags = { shared: MS_SHARED, slave: MS_SLAVE, private: MS_PRIVATE, unbindable: MS_UNBINDABLE };

/** A machine in the middle of a history. */
export interface HistoryRun {
  readonly machine: Machine;
  readonly stage: HistoryNode;
  /** Descriptors of detached trees, some of which have been attached since. */
  readonly trees: number[];
}

/** Runs one step and gives its outcome: `ok` with what it found, or the errno. */
export function runStep(run: HistoryRun, step: MountStep): string {
  const { machine, stage, trees } = run;
  const { sys } = machine;
  const visit = (index: number, body: () => Result<unknown>) => outcome(stage.inNamespace(index, body));
  switch (step.op) {
    case 'copy-namespace':
      return outcome(copyNamespace(machine, stage, step));
    case 'mount-fuse': {
      const daemon = stage.daemons.length;
      const mounted = stage.inNamespace(step.namespace, () => machine.mountFuse(daemon, step));
      stage.daemons.push(!mounted.ok ? 'dead' : step.starts ? 'starting' : 'live');
      return outcome(mounted);
    }
    case 'mount-tmpfs':
      return visit(step.namespace, () => {
        const { path: target, flags } = step;
        const mounted = sys.mount({ source: 'memory', target, fstype: 'tmpfs', flags });
        if (!mounted.ok) return mounted;
        const made = sys.mkdir(`${target}/in`);
        return made.ok ? sys.mkdir(`${target}/in/in`) : made;
      });
    case 'bind':
      return visit(step.namespace, () =>
        sys.mount({
          source: step.from,
          target: step.path,
          fstype: null,
          flags: MS_BIND | (step.recursive ? MS_REC : 0),
        }),
      );
    case 'propagation': {
      const flags = propagationFlags[step.type] | (step.recursive ? MS_REC : 0);
      return visit(step.namespace, () => sys.mount({ source: null, target: step.path, fstype: null, flags }));
    }
    case 'remount':
      return visit(step.namespace, () =>
        sys.mount({ source: null, target: step.path, fstype: null, flags: MS_REMOUNT | MS_BIND | step.flags }),
      );
    case 'umount':
      return visit(step.namespace, () => sys.umount(step.path, MNT_DETACH | (step.force ? MNT_FORCE : 0)));
    case 'clone':
      return visit(step.namespace, () => {
        const cloned = withPath(run, step.path, (fd) => sys.cloneTree(fd, step.recursive));
        if (cloned.ok) trees.push(cloned.value);
        return cloned.ok ? ok(undefined) : cloned;
      });
    case 'attributes': {
      const { set, private: isPrivate, recursive } = step;
      const tree = pick(trees, step.tree);
      if (tree === undefined) return 'no tree';
      return outcome(sys.setAttributes(tree, { set, clear: 0, private: isPrivate, recursive }));
    }
    case 'attach': {
      const tree = pick(trees, step.tree);
      if (tree === undefined) return 'no tree';
      return visit(step.namespace, () =>
        withPath(run, step.path, (at) => sys.moveMount(tree, { at, path: '', beneath: step.beneath })),
      );
    }
    case 'attach-in-tree': {
      const [tree, at] = [pick(trees, step.tree), pick(trees, step.into)];
      if (tree === undefined || at === undefined) return 'no tree';
      return visit(step.namespace, () => sys.moveMount(tree, { at, path: '' }));
    }
    case 'move':
      return visit(step.namespace, () =>
        withPath(run, step.from, (from) => withPath(run, step.path, (at) => sys.moveMount(from, { at, path: '' }))),
      );
    case 'close-tree': {
      const tree = pick(trees, step.tree);
      if (tree === undefined) return 'no tree';
      trees.splice(trees.indexOf(tree), 1);
      sys.close(tree);
      return 'ok';
    }
    case 'crash':
    case 'abort':
    case 'hang':
    case 'resume':
      return setDaemon(run, step);
    case 'look-up':
      return visit(step.namespace, () => {
        const opened = openAt(sys, step.path, step.cached ? RESOLVE_CACHED : 0);
        if (opened.ok) sys.close(opened.value);
        return opened.ok ? ok(undefined) : opened;
      });
    case 'read':
      return visit(step.namespace, () => withPath(run, step.path, (fd) => ok(machine.list(fd))));
    case 'replace':
      return replace(run, step);
    case 'publish':
      return outcome(
        createPublisher(stage.context).publish({ source: step.source, target: step.path, readOnly: step.readOnly }),
      );
    case 'unpublish':
      return outcome(createPublisher(stage.context).unpublish(step.path));
  }
}

/** The mount tables of all namespaces. */
export const readTables = ({
  stage: { context, namespaces, inNamespace },
}: HistoryRun): readonly (readonly Mount[])[] =>
  namespaces.map((_, index) => {
    const table = inNamespace(index, () => readTable(context));
    return table.ok ? table.value : [];
  });

function setDaemon(
  { machine, stage: { daemons } }: HistoryRun,
  { op, daemon }: Extract<MountStep, { readonly daemon: number }>,
): string {
  const index = daemons.length === 0 ? -1 : daemon % daemons.length;
  const before = daemons[index];
  if (before === undefined || before === 'dead') return 'no daemon';
  if (op === 'abort') {
    if (machine.abort === undefined) return 'cannot abort';
    daemons[index] = 'dead';
    return outcome(machine.abort(index));
  }
  // A daemon that has not greeted the kernel cannot be told from one that hangs.
  if (op === 'hang' && before === 'starting') return 'ok';
  const state = op === 'crash' ? 'dead' : op === 'hang' ? 'hung' : 'live';
  machine.setDaemon(index, state);
  daemons[index] = state;
  return 'ok';
}

/** What the engine would ask for, with the live mount at a path of the node as the source. */
function replace({ stage }: HistoryRun, step: Extract<MountStep, { readonly op: 'replace' }>): string {
  const { context } = stage;
  const index = step.namespace % stage.namespaces.length;
  const table = stage.inNamespace(index, () => readTable(context));
  const node = context.nodeTable();
  if (!table.ok || !node.ok) return 'no table';
  const { stack } = MountTree.of(table.value).at(step.path);
  const source = MountTree.of(node.value).top(step.source);
  const top = stack.at(-1);
  if (top === undefined || step.path === '/' || source === undefined || !isFuse(source)) return 'nothing to replace';
  const site: MountSite =
    index === 0
      ? { kind: 'target', podUid: '', path: step.path }
      : { kind: 'container', podUid: '', container: '', mountNamespace: '', pid: index, path: step.path };
  const beneath = stack.at(-2);
  const replacement: Replacement = {
    kind: beneath?.device === source.device && top.device !== source.device ? 'finish' : 'replace',
    site,
    stack,
    below: table.value.filter(({ mountPoint }) => mountPoint.startsWith(`${step.path}/`)),
    source: { path: step.source, device: source.device, root: source.root },
    remove: top as RemovableMount,
    readOnly: step.readOnly,
    // Not in the order of the table, which is that of the mounts' creation: copies by propagation are created in an order of the kernel's own.
    elsewhere: node.value.toSorted((a, b) => (a.mountPoint < b.mountPoint ? -1 : a.mountPoint > b.mountPoint ? 1 : 0)),
  };
  const [replaced] = replaceAll(context, [replacement]);
  if (replaced === undefined) return 'no result';
  return replaced.ok ? `replaced, layers ${replaced.value.layers.join(' to ')}` : describeFailure(replaced.failure);
}

function withPath<T>({ machine: { sys } }: HistoryRun, path: string, use: (fd: number) => Result<T>): Result<T> {
  const opened = openAt(sys, path);
  if (!opened.ok) return opened;
  try {
    return use(opened.value);
  } finally {
    sys.close(opened.value);
  }
}

const pick = (trees: readonly number[], index: number) => trees[index % Math.max(trees.length, 1)];

function outcome(result: Result<unknown>): string {
  if (!result.ok) return describeFailure(result.failure);
  return typeof result.value === 'string' ? result.value : 'ok';
}

const describeFailure = ({ errno, call, step }: { errno: string; call: string; step: string }) =>
  `${errno} of ${call}${step === '' ? '' : ` (${step})`}`;
