import { readFileSync, realpathSync } from 'node:fs';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Container, DeviceId, Failure, KernelTier, Nanoseconds } from '../engine/model.ts';
import type { KernelPort, ReadRequest, Result } from '../engine/ports.ts';
import { createContainers, podsDirectory, type UnknownContainer } from './containers.ts';
import { createKeptClones, createLateClose, type KernelContext } from './context.ts';
import { createDaemonSearch, type DaemonSearch, slice } from './daemon-search.ts';
import { abortConnection } from './fuse-connection.ts';
import { checkRelease, detectTier, effectiveTier, type Unavailable } from './kernel-tier.ts';
import { followKubelet } from './kubelet.ts';
import { kubeletDirectoryProblem } from './kubelet-directory.ts';
import { loadSyscalls } from './load-syscalls.ts';
import { createLookUps } from './look-ups.ts';
import { parseMountinfo } from './mountinfo.ts';
import { NamespaceLost, openNamespaces } from './namespaces.ts';
import { createPreparedMounts, type PreparedMounts } from './prepared.ts';
import { proberArgv, startProber } from './prober/client.ts';
import { startLanes } from './prober/lanes.ts';
import {
  createProcessNamespaces,
  credentialsOf,
  endContainer,
  namespaceOf,
  openFilesLimit,
  processFiles,
  readProcLink,
} from './processes.ts';
import { createPublisher, type Publisher } from './publish.ts';
import { replaceAll } from './replace.ts';
import { ok } from './result.ts';
import { openStaging } from './staging.ts';
import type { Syscalls } from './syscalls.ts';
import { createWalker } from './walker.ts';
import { createNodeTable, type NodeTable, watchProcesses } from './watch.ts';

export interface KernelOptions {
  /** Forces a lower tier than the kernel offers. */
  readonly tier?: KernelTier;
  /** Path of the node's mount namespace, or `kubelet`: to find the kubelet's; the own namespace if missing. */
  readonly nodeMountNamespace?: string;
  /** Called after the kubelet's namespace became unknown, for a reason, or known again. */
  readonly onKubelet?: (missing: string | undefined) => void;
  /** `/var/lib/kubelet` by default. It may lead through symbolic links. */
  readonly kubeletRoot?: string;
  /** Feature gate `FuseStandby`: the end of a daemon is noticed even if the kernel does not show whose connection it has. */
  readonly standby?: boolean;
  /** Called once for each pod whose containers cannot be identified, and each reason. */
  readonly onUnknownContainer?: (container: UnknownContainer) => void;
  /** Command that starts the prober; a bundle has its own. Lanes and walker add the argument `wait`. */
  readonly proberCommand?: readonly string[];
}

export interface Kernel extends KernelPort, Publisher, AsyncDisposable {
  /** Why the node's mount namespace is unknown, so that nothing can be done; undefined if it is known. */
  missing(): string | undefined;
  /** The kubelet's directory without symbolic links, as the node's mount table spells it. */
  kubeletDirectory(): string;
  /** Why the kubelet of this node does not use that directory, so that nothing will be published or recovered; undefined if it may. */
  kubeletProblem(): string | undefined;
  /**
   * Reads a file of the node as the kubelet sees it. Blocks, so it must be on a disk of the node. Throws the errors of `fs`, and an error if
   * the kubelet's mount namespace is unknown.
   */
  readNodeFile(path: string): Buffer;
  /** Signals process 1 of a container. */
  endContainer(container: Container, signal: 'SIGTERM' | 'SIGKILL'): Result<void>;
}

/**
 * Opens the kernel of this machine; once per process, because the main thread visits mount namespaces and returns before anything
 * else runs.
 */
export function openKernel(
  options: KernelOptions = {},
): { readonly ok: true; readonly value: Kernel } | { readonly ok: false; readonly failure: Unavailable } {
  const release = checkRelease();
  if (!release.ok) return release;
  const sys = loadSyscalls();
  using parts = new DisposableStack();

  const kubelet = options.nodeMountNamespace === 'kubelet' ? followKubelet(sys, () => onNode()) : undefined;
  if (kubelet?.ok === false) return unavailable(kubelet);
  if (kubelet !== undefined) parts.use(kubelet.value);
  const node = kubelet?.value.path ?? options.nodeMountNamespace;
  const missing = () => kubelet?.value.missing();
  const namespaces = openNamespaces(sys, node);
  if (!namespaces.ok) return unavailable(namespaces);
  parts.use(namespaces.value);
  const staging = openStaging(sys, namespaces.value);
  if (!staging.ok) return unavailable(staging);
  parts.use(staging.value);
  const detected = detectTier(sys, staging.value);
  if (!detected.ok) return unavailable(detected);
  const tier = effectiveTier(detected.value, options.tier);
  if (!tier.ok) return unavailable(tier);
  const table = parts.use(createNodeTable(sys, namespaces.value));
  const read = table.read();
  if (!read.ok && missing() === undefined) return unavailable(read);
  const proberCommand = options.proberCommand ?? proberArgv();
  const walker = parts.use(
    createWalker({ sys, namespaces: namespaces.value, command: proberCommand, now: () => performance.now() }),
  );
  const late = parts.use(createLateClose(sys));
  const clones = parts.use(createKeptClones(sys));
  const context: KernelContext = {
    sys,
    namespaces: namespaces.value,
    staging: staging.value,
    walker,
    late,
    clones,
    tier: tier.value,
    get prepared() {
      return prepared;
    },
    nodeTable: () => table.read(),
  };
  const prepared = parts.use(createPreparedMounts(context, openFilesLimit() - reservedDescriptors));
  const onNode = () => {
    table.reopen();
    options.onKubelet?.(missing());
  };
  const known = { ...options, proberCommand, node, missing, prepared };
  return { ok: true, value: assembleKernel(context, table, known, parts.move()) };
}

function assembleKernel(
  context: KernelContext,
  table: NodeTable,
  options: KernelOptions &
    Required<Pick<KernelOptions, 'proberCommand'>> &
    Pick<Kernel, 'missing'> & { readonly node: string | undefined; readonly prepared: PreparedMounts },
  parts: DisposableStack,
): Kernel {
  const { sys } = context;
  const {
    node: nodeMountNamespace,
    missing,
    proberCommand,
    prepared,
    kubeletRoot = '/var/lib/kubelet',
    standby = false,
    onUnknownContainer,
  } = options;
  const now = () => process.hrtime.bigint() as Nanoseconds;
  const proberOptions = { command: proberCommand, nodeMountNamespace, now };
  const prober = startProber(proberOptions);
  const lanes = startLanes(proberOptions);
  const processes = createProcessNamespaces({ proc: '/proc', sys, now: () => performance.now() });
  const search = createDaemonSearch({
    proc: '/proc',
    sys,
    now: () => performance.now(),
    pause: (milliseconds) => (milliseconds === 0 ? nextTurn() : delay(milliseconds, undefined, { ref: false })),
  });
  const except = () => namespacesOfNode(nodeMountNamespace);
  let directory: { readonly namespace: string | undefined; readonly path: string } | undefined;
  const kubeletDirectory = () => {
    const namespace = nodeMountNamespace === undefined ? undefined : readProcLink(nodeMountNamespace);
    if (directory === undefined || directory.namespace !== namespace)
      directory = { namespace, path: withoutLinks(context, kubeletRoot) };
    return directory.path;
  };
  const pods = () => {
    const node = table.read();
    return node.ok ? podsDirectory(node.value, kubeletDirectory()) : undefined;
  };
  const containers = createContainers({
    files: processFiles('/proc', sys),
    processes,
    except,
    pods,
    now: () => performance.now(),
    ...(onUnknownContainer === undefined ? {} : { onUnknown: onUnknownContainer }),
  });
  const { publish, unpublish, removeTarget } = createPublisher(context);
  const lookUps = parts.use(createLookUps({ context, kubeletRoot: kubeletDirectory, command: proberCommand }));
  return {
    tier: context.tier,
    missing,
    kubeletDirectory,
    kubeletProblem() {
      const node = table.read();
      if (!node.ok || missing() !== undefined) return undefined;
      const own = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
      return kubeletDirectoryProblem({
        namespaces: context.namespaces,
        path: kubeletDirectory(),
        node: node.value,
        own,
      });
    },
    readNodeFile(path) {
      const read = context.namespaces.inNode(() => ok(readFileSync(path)));
      if (read.ok) return read.value;
      throw new Error(`cannot enter the kubelet's mount namespace to read ${path}: ${read.failure.errno}`);
    },
    hostMounts: () => table.read(),
    containers: (scope) => containers.find(scope),
    prepare: (wanted) => prepared.hold(wanted),
    async prepareContainers() {
      let since = performance.now();
      for (const _ of containers.prepare()) {
        if (performance.now() - since < slice) continue;
        await nextTurn();
        since = performance.now();
      }
    },
    replaceAll(replacements) {
      for (const { site } of replacements) if (site.kind === 'container') containers.changed(site.pid);
      return replaceAll(context, replacements);
    },
    ask: (request) => lanes.ask(request),
    read: (request) => prober.read(withCurrentUser(request)),
    lookUp: (lookUp) => lookUps.lookUp(lookUp),
    abort: (device) => abortConnection(context, device),
    endContainer: (container, signal) => endContainer('/proc', container, signal),
    watchMounts: (changed) => table.watch(changed),
    watchDaemon: (device, ended) => watchDaemon({ sys, search, watchesSuspects: standby }, device, ended),
    publish,
    unpublish,
    removeTarget,
    async [Symbol.asyncDispose]() {
      await Promise.all([prober[Symbol.asyncDispose](), lanes[Symbol.asyncDispose]()]);
      parts.dispose();
    },
  };
}

/** Descriptors for everything beside what is prepared for standbys. */
const reservedDescriptors = 500;

/** The path of a directory on the node as its mount table spells it, without symbolic links. */
function withoutLinks({ namespaces }: KernelContext, path: string): string {
  try {
    const resolved = namespaces.inNode(() => ok(realpathSync.native(path)));
    return resolved.ok ? resolved.value : path;
  } catch (error) {
    if (error instanceof NamespaceLost) throw error;
    return path;
  }
}

/** The process may have changed its user since the snapshot. */
function withCurrentUser(request: ReadRequest): ReadRequest {
  const { site, user } = request;
  if (site.kind !== 'container' || user === undefined) return request;
  return { ...request, user: credentialsOf('/proc', site.pid) ?? user };
}

/** The mount namespaces that are not of containers: our own and the node's. */
function namespacesOfNode(node: string | undefined): ReadonlySet<string> {
  const own = namespaceOf('/proc', 'self', 'mnt');
  const nodes = node === undefined ? undefined : readProcLink(node);
  return new Set([own, nodes].filter((name) => name !== undefined));
}

interface DaemonWatchParts {
  readonly sys: Syscalls;
  readonly search: DaemonSearch;
  readonly watchesSuspects: boolean;
}

/** If only suspects are found, calls back when any of them ends, as it may be the daemon. */
function watchDaemon(
  { sys, search, watchesSuspects }: DaemonWatchParts,
  device: DeviceId,
  ended: (how: 'exited' | 'absent') => void,
): Disposable {
  using parts = new DisposableStack();
  const stop = new AbortController();
  parts.defer(() => stop.abort());
  const watch = parts.move();
  void search.find(device, stop.signal).then(({ pids, suspects }) => {
    if (stop.signal.aborted) return;
    const exited = () => ended('exited');
    if (pids.length > 0) watch.use(watchProcesses(sys, pids, exited));
    else if (suspects.length === 0) ended('absent');
    if (!watchesSuspects) return;
    let hasExited = false;
    const oneExited = () => {
      if (!hasExited) exited();
      hasExited = true;
    };
    for (const pid of suspects) watch.use(watchProcesses(sys, [pid], oneExited));
  });
  return { [Symbol.dispose]: () => watch.dispose() };
}

function unavailable({ failure }: { readonly failure: Failure }): { ok: false; failure: Unavailable } {
  return { ok: false, failure: { ...failure, remedy: remedyFor(failure) } };
}

function remedyFor({ errno, step }: Failure): string {
  if (step.startsWith('force-tier')) return 'force a lower tier, or none: this kernel does not offer it';
  if (errno === 'EPERM' || errno === 'EACCES') {
    return 'run as root or with CAP_SYS_ADMIN, CAP_SYS_PTRACE and CAP_SYS_CHROOT, with mounts allowed by AppArmor (Unconfined) and seccomp';
  }
  return "check that /proc is mounted and that the node's mount namespace exists";
}
