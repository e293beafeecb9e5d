import type { KernelTier, LiveSource, Mount } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import type { Namespaces } from './namespaces.ts';
import type { PreparedMounts } from './prepared.ts';
import { failed, inStep, ok } from './result.ts';
import { belowRoot, topMount } from './stack.ts';
import type { Staging } from './staging.ts';
import { AT_FDCWD, MS_PRIVATE, MS_REC, O_PATH, RESOLVE_NO_SYMLINKS, type Syscalls } from './syscalls.ts';
import { openCached, type Walker } from './walker.ts';

/** The parts that every change of a mount table needs. */
export interface KernelContext {
  readonly sys: Syscalls;
  readonly namespaces: Namespaces;
  readonly staging: Staging;
  readonly walker: Walker;
  readonly late: LateClose;
  readonly clones: KeptClones;
  readonly tier: KernelTier;
  /** What was made in advance for a failover. */
  readonly prepared?: Pick<PreparedMounts, 'take' | 'pidfd'>;
  /** The node's current mount table. */
  nodeTable(): Result<readonly Mount[]>;
}

/** Takes the mount that a descriptor refers to, and those inside it if `recursive`, out of their peer groups. */
export function makePrivate(context: KernelContext, fd: number, recursive: boolean): Result<void> {
  const { sys, namespaces, tier } = context;
  if (tier !== '5.10') {
    return inStep('make-private', '', sys.setAttributes(fd, { set: 0, clear: 0, private: true, recursive }));
  }
  return namespaces.withPathOf(fd, (target) => {
    const flags = MS_PRIVATE | (recursive ? MS_REC : 0);
    return inStep('make-private', '', sys.mount({ source: null, target, fstype: null, flags }));
  });
}

/**
 * Opens what is visible at a path of the namespace that is being visited, through no symbolic link. Never waits for a filesystem:
 * EINPROGRESS if one must be asked, and the walker does it.
 */
export function openPath({ sys, walker }: Pick<KernelContext, 'sys' | 'walker'>, path: string): Result<number> {
  const cached = openCached(sys, { at: AT_FDCWD, path, resolve: RESOLVE_NO_SYMLINKS });
  if (cached !== undefined) return cached;
  const root = sys.openat2({ at: AT_FDCWD, path: '/', flags: O_PATH, resolve: 0 });
  if (!root.ok) return root;
  try {
    return walker.open(root.value, path.slice(1) || '.');
  } finally {
    sys.close(root.value);
  }
}

/** A source, or the subdirectory of it that a site shows, opened to be cloned. */
export interface OpenSource {
  readonly fd: number;
  /** Options of the source's own mount. */
  readonly options: readonly string[];
}

/**
 * Opens the source of a site in the namespace that is being visited. `table` is that namespace's.
 *
 * ESTALE: another filesystem than the one in the snapshot is mounted at the path now. ENOENT: the source has no such directory.
 */
export function openSource(
  context: Pick<KernelContext, 'sys' | 'walker'>,
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
  const { sys, walker } = context;
  const opened = fds.own(openPath(context, source.path));
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

/** Descriptors that are closed together. A clone that was attached stays mounted; one that was not is gone. */
export class Descriptors implements Disposable {
  readonly #sys: Pick<Syscalls, 'close'>;
  readonly #open: number[] = [];

  constructor(sys: Pick<Syscalls, 'close'>) {
    this.#sys = sys;
  }

  /** Takes over the descriptor of a successful call, and returns the result. */
  own(result: Result<number>): Result<number> {
    if (result.ok) this.#open.push(result.value);
    return result;
  }

  /** Leaves a descriptor open, for another owner. */
  release(fd: number): void {
    this.#open.splice(this.#open.indexOf(fd), 1);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open.splice(0).reverse()) this.#sys.close(fd);
  }
}

/** Milliseconds in which programs that wait for a new mount read from it. */
const closeDelay = 20;

/**
 * Closes descriptors of dead mounts a moment later. Closing the last one destroys the filesystem, which takes the kernel
 * milliseconds that programs would otherwise wait for their new mounts.
 */
export interface LateClose extends Disposable {
  close(fd: number): void;
}

export function createLateClose(sys: Pick<Syscalls, 'close' | 'closeInPool'>): LateClose {
  let waiting: number[] = [];
  let timer: NodeJS.Timeout | undefined;
  const closeAll = (close: (fd: number) => void): void => {
    clearTimeout(timer);
    timer = undefined;
    const due = waiting;
    waiting = [];
    for (const fd of due) close(fd);
  };
  return {
    close(fd) {
      timer ??= setTimeout(() => closeAll((each) => sys.closeInPool(each)), closeDelay);
      waiting.push(fd);
    },
    [Symbol.dispose]: () => closeAll((fd) => sys.close(fd)),
  };
}

/** Milliseconds for which a clone waits for the next attempt. It keeps its filesystem alive. */
const cloneLifetime = 1000;

/**
 * Clones in which a directory is being looked up. The answer is a directory of that clone and of no other, so that the next attempt must
 * use the same clone.
 */
export interface KeptClones extends Disposable {
  /** `key` names the mount that is cloned and the clone's attributes. */
  keep(key: string, tree: number): void;
  take(key: string): number | undefined;
}

export function createKeptClones(sys: Pick<Syscalls, 'close' | 'closeInPool'>): KeptClones {
  const kept = new Map<string, { readonly tree: number; readonly timer: NodeJS.Timeout }>();
  const take = (key: string) => {
    const clone = kept.get(key);
    clearTimeout(clone?.timer);
    kept.delete(key);
    return clone?.tree;
  };
  const drop = (key: string) => {
    const tree = take(key);
    if (tree !== undefined) sys.closeInPool(tree);
  };
  return {
    take,
    keep(key, tree) {
      drop(key);
      kept.set(key, { tree, timer: setTimeout(() => drop(key), cloneLifetime).unref() });
    },
    [Symbol.dispose]() {
      for (const key of [...kept.keys()]) sys.close(take(key) ?? -1);
    },
  };
}
