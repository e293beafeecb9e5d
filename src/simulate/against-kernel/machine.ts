import type { KernelTier } from '../../../recovery/engine/model.ts';
import type { Result } from '../../../recovery/engine/ports.ts';
import type { KernelContext } from '../../../recovery/linux/context.ts';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';
import { openNamespaces } from '../../../recovery/linux/namespaces.ts';
import { failed, ok } from '../../../recovery/linux/result.ts';
import { openStaging } from '../../../recovery/linux/staging.ts';
import { AT_FDCWD, CLONE_NEWNS, O_PATH, RESOLVE_CACHED, type Syscalls } from '../../../recovery/linux/syscalls.ts';

/** `starting`: it has not greeted the kernel. */
export type DaemonState = 'live' | 'starting' | 'hung' | 'dead';

/** The running kernel or the modelled one, with what only one of them needs: daemons, and reads that ask them. */
export interface Machine {
  readonly sys: Syscalls;
  /** Mounts a new connection in the namespace that is being visited, and serves it. */
  mountFuse(
    daemon: number,
    mount: { readonly path: string; readonly flags: number; readonly caches: boolean; readonly starts: boolean },
  ): Result<void>;
  /** Copies the namespace that is being visited for a new user namespace; undefined if that is impossible here. */
  readonly copyForUser: (() => Result<number>) | undefined;
  /** Aborts the connection of a daemon; undefined if that is impossible here. */
  readonly abort: ((daemon: number) => Result<void>) | undefined;
  setDaemon(daemon: number, state: DaemonState): void;
  /** Reads a directory: its names, `hangs`, or an errno. */
  list(fd: number): string;
  /** Ends all daemons. */
  reset(): void;
  [Symbol.dispose](): void;
}

/** The namespaces of one history, and the agent's own parts on a machine. */
export interface HistoryNode extends Disposable {
  readonly context: KernelContext;
  /** The namespaces of the history; the first one is the node's. */
  readonly namespaces: number[];
  readonly daemons: DaemonState[];
  inNamespace<T>(index: number, run: () => Result<T>): Result<T>;
}

/** The parts of the agent that outlive a history. */
export function openMachineContext(sys: Syscalls) {
  const namespaces = taken(openNamespaces(sys, undefined));
  const staging = taken(openStaging(sys, namespaces));
  return { namespaces, staging };
}

export type MachineContext = ReturnType<typeof openMachineContext>;

/** Makes an empty namespace with a few directories as the node's. */
export function openStage(
  { sys }: Machine,
  { namespaces: home, staging }: MachineContext,
  tier: KernelTier,
): HistoryNode {
  const base = taken(openStaging(sys, home));
  const node = taken(base.enter(() => home.openCurrent()));
  const table = taken(base.enter(() => home.openTable()));
  base[Symbol.dispose]();
  const fds = [node];
  const daemons: DaemonState[] = [];
  const inNamespace = <T>(index: number, run: () => Result<T>) =>
    home.inNamespace(fds[index % fds.length] ?? node, run);
  const namespaces: KernelContext['namespaces'] = {
    ...home,
    inNode: (run) => inNamespace(0, run),
    inProcesses: (processes, run) => processes.map(({ pid }) => inNamespace(pid, () => run(pid))),
  };
  const context: KernelContext = {
    sys,
    namespaces,
    staging,
    tier,
    late: { close: (fd) => sys.close(fd), [Symbol.dispose]: () => undefined },
    // A call that fails is not repeated.
    clones: { keep: (_, tree) => sys.close(tree), take: () => undefined, [Symbol.dispose]: () => undefined },
    walker: {
      prepare: () => undefined,
      open(at, path) {
        const cached = openAt(sys, path, RESOLVE_CACHED, at);
        if (cached.ok || cached.failure.errno !== 'EAGAIN') return cached;
        if (daemons.some((state) => state === 'hung' || state === 'starting'))
          return failed({ errno: 'EINPROGRESS', call: 'openat2', path, step: '' });
        return sys.openat2({ at, path, flags: O_PATH, resolve: 0 });
      },
      [Symbol.dispose]: () => undefined,
    },
    nodeTable() {
      const text = sys.readText(table);
      return text.ok ? ok(parseMountinfo(text.value)) : text;
    },
  };
  taken(
    inNamespace(0, () => {
      for (const path of ['/0/in', '/1/in', '/2/in', '/0/in/in']) taken(sys.mkdir(path));
      return ok(undefined);
    }),
  );
  return {
    context,
    namespaces: fds,
    daemons,
    inNamespace,
    [Symbol.dispose]() {
      for (const fd of [table, ...fds.splice(0)]) sys.close(fd);
    },
  };
}

/** Makes a copy of a namespace of the history, unless it has four. `forUser`: as its owner a user namespace that is new. */
export function copyNamespace(
  { sys, copyForUser }: Machine,
  stage: HistoryNode,
  { namespace, forUser }: { readonly namespace: number; readonly forUser: boolean },
): Result<void> {
  if (stage.namespaces.length >= 4) return ok(undefined);
  const copied = stage.inNamespace(namespace, () => {
    if (forUser && copyForUser !== undefined) return copyForUser();
    const unshared = sys.unshare(CLONE_NEWNS);
    return unshared.ok ? stage.context.namespaces.openCurrent() : unshared;
  });
  if (!copied.ok) return copied;
  stage.namespaces.push(copied.value);
  return ok(undefined);
}

/** Attempts to open a path from the cache, which fail as well while any process of the machine mounts something. */
const cachedAttempts = 50;

/** Opens a path (O_PATH) in the namespace that is being visited. */
export function openAt(sys: Syscalls, path: string, resolve = 0, at = AT_FDCWD): Result<number> {
  let opened = sys.openat2({ at, path, flags: O_PATH, resolve });
  for (let attempt = 1; attempt < cachedAttempts; attempt++) {
    if (opened.ok || opened.failure.errno !== 'EAGAIN' || resolve !== RESOLVE_CACHED) break;
    opened = sys.openat2({ at, path, flags: O_PATH, resolve });
  }
  return opened;
}

/** The machine itself failed, and not a call of a history. */
export class MachineFailed extends Error {
  readonly errno: string;

  constructor({ errno, call, path }: { readonly errno: string; readonly call: string; readonly path: string }) {
    super(`${call} ${path}: ${errno}`);
    this.errno = errno;
  }
}

export function taken<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new MachineFailed(result.failure);
}
