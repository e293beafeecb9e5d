import type {
  Container,
  DeviceId,
  KernelTier,
  Liveness,
  LookUp,
  Mount,
  Nanoseconds,
  VolumeRecord,
} from '../../engine/model.ts';
import type { AskRequest, ClockPort, KernelPort, ReadAnswer, ReadRequest, Result } from '../../engine/ports.ts';
import { createContainers, podsDirectory } from '../containers.ts';
import type { KernelContext } from '../context.ts';
import { createMountinfoParser } from '../mountinfo.ts';
import { openNamespaces } from '../namespaces.ts';
import { createPreparedMounts } from '../prepared.ts';
import { replaceAll } from '../replace.ts';
import { failed, ok } from '../result.ts';
import { openStaging } from '../staging.ts';
import { O_PATH } from '../syscalls.ts';
import type { FuseConnection } from './connection.ts';
import type { KernelModel } from './kernel-model.ts';
import { followLinks, type ModelledProcess } from './modelled-process.ts';
import type { ModelledSyscalls } from './modelled-syscalls.ts';
import type { VfsPath } from './mounts.ts';
import { WouldBlock } from './walk.ts';

export interface ModelledPortOptions {
  readonly kernel: KernelModel;
  /** The agent's own process. */
  readonly sys: ModelledSyscalls;
  readonly clock: ClockPort;
  readonly tier: KernelTier;
  readonly kubeletRoot: string;
  /** The running processes, by ascending pid. */
  readonly processes: () => readonly ModelledProcess[];
  /** What the kubelet has recorded beside target paths. */
  readonly records: ReadonlyMap<string, VolumeRecord>;
}

/** The agent's kernel port on the modelled kernel: its own mount sequences, identification of containers and parser. */
export interface ModelledPort extends KernelPort, Disposable {
  readonly context: KernelContext;
}

/** A descriptor for each of a thousand pods' clones and processes. */
const preparedLimit = 2000;

export function createModelledPort(options: ModelledPortOptions): ModelledPort {
  const { kernel, clock, tier, kubeletRoot, processes, records } = options;
  const watches = new DisposableStack();
  const context = openContext(options, watches);
  const prepared = createPreparedMounts(context, preparedLimit);
  Object.assign(context, { prepared });
  const askedAt = new Map<FuseConnection, Nanoseconds>();
  const now = () => Number(clock.now() / 1_000_000n);
  const processOf = (pid: number) => processes().find((each) => each.pid === pid);
  const namespaceName = ({ sys: { namespace } }: ModelledProcess) => `mnt:[${namespace.inode}]`;
  const containers = createContainers({
    now,
    except: () => new Set([`mnt:[${kernel.initial.inode}]`]),
    pods: () => {
      const table = context.nodeTable();
      return table.ok ? podsDirectory(table.value, kubeletRoot) : undefined;
    },
    processes: {
      locate: () => processes().map((each) => ({ pid: each.pid, mountNamespace: namespaceName(each) })),
      *prepare() {},
    },
    files: {
      namespaceOf(pid, kind) {
        const process = pid === 'self' ? undefined : processOf(pid);
        if (kind === 'user') return process?.userNamespace ?? 'user:[1]';
        return process === undefined ? undefined : namespaceName(process);
      },
      startTime: (pid) => processOf(pid)?.startTime,
      // Its probers are no processes.
      isHelper: () => false,
      cgroup: () => undefined,
      isFirst: () => false,
      credentials: (pid) => processOf(pid)?.user,
      mountTable: (pid) => processOf(pid)?.sys.table,
    },
  });

  /** Undefined if the container's process has gone; another one may have its pid. */
  function namespaceAt(site: AskRequest['site']) {
    if (site.kind !== 'container') return kernel.initial;
    const process = processOf(site.pid);
    return process && namespaceName(process) === site.mountNamespace ? process.sys.namespace : undefined;
  }

  /** What is visible at a site; undefined if there is nothing. */
  function placeAt(site: AskRequest['site']): VfsPath | undefined {
    const namespace = namespaceAt(site);
    if (namespace === undefined) return undefined;
    const found = kernel.walk(kernel.rootOf(namespace), site.path);
    return typeof found === 'string' ? undefined : found;
  }

  async function ask({ site, device, deadline }: AskRequest): Promise<Liveness> {
    const place = placeAt(site);
    if (place === undefined) return { status: 'unknown', errno: 'ENOENT' };
    const { connection, device: found } = place.mount.filesystem;
    if (found !== device) return { status: 'unknown', errno: 'ESTALE' };
    if (connection === undefined) return { status: 'live' };
    const asked = askedAt.get(connection);
    // As with the prober, a question stays open until it is answered, which it has been if the connection has become silent since.
    const hasAnswered = asked !== undefined && BigInt(connection.silentSince ?? 0) * 1_000_000n > asked;
    const since = asked === undefined || hasAnswered ? clock.now() : asked;
    askedAt.set(connection, since);
    if (!(await connection.answers(clock, deadline, () => kernel.hold(place)))) return { status: 'hung', since };
    askedAt.delete(connection);
    return connection.state === 'dead' ? { status: 'dead', errno: 'ENOTCONN' } : { status: 'live' };
  }

  async function read({ site, user, deadline }: ReadRequest): Promise<Result<ReadAnswer>> {
    const fails = (errno: string, step: string) => failed({ errno, call: 'read', path: site.path, step });
    const place = placeAt(site);
    if (namespaceAt(site) === undefined) return fails('ESRCH', 'enter');
    if (place === undefined) return fails('ENOENT', 'read-open');
    const { connection, device } = place.mount.filesystem;
    if (connection === undefined) return ok({ device });
    if (!(await connection.answers(clock, deadline, () => kernel.hold(place)))) return fails('ETIMEDOUT', 'read-list');
    if (connection.state === 'dead') return fails('ENOTCONN', 'read-list');
    if (connection.denied.has(user?.uid ?? 0)) return fails('EACCES', 'read-byte');
    return ok({ device, listing: connection.listing });
  }

  /** As for the adapter, links of a container in a user namespace of its own are not followed. */
  function mountAt({ pid, userNamespace, mounts }: Container, path: string) {
    if (userNamespace !== undefined) return undefined;
    const mountPoint = followLinks(path, processOf(pid)?.links);
    return mounts.some((mount) => mount.mountPoint === mountPoint) ? { mountPoint } : undefined;
  }

  return {
    tier,
    context,
    hostMounts: () => context.nodeTable(),
    containers: (scope) => containers.find(scope),
    async prepareContainers() {
      for (const _ of containers.prepare());
    },
    async lookUp(lookUp: LookUp) {
      const [found, path] =
        lookUp.kind === 'record'
          ? [records.get(lookUp.target), lookUp.target]
          : [mountAt(lookUp.container, lookUp.path), lookUp.path];
      return found === undefined ? failed({ errno: 'ENOENT', call: 'openat2', path, step: 'look-up' }) : ok(found);
    },
    prepare: (wanted) => prepared.hold(wanted),
    replaceAll(replacements) {
      for (const { site } of replacements) if (site.kind === 'container') containers.changed(site.pid);
      return replaceAll(context, replacements);
    },
    ask,
    read,
    abort(device: DeviceId) {
      const connection = kernel.connections().get(device);
      if (connection !== undefined) connection.state = 'dead';
      return ok(undefined);
    },
    watchMounts(changed) {
      let isPending = false;
      return kernel.watch((namespace) => {
        if (namespace !== kernel.initial || isPending) return;
        isPending = true;
        queueMicrotask(() => {
          isPending = false;
          changed();
        });
      });
    },
    watchDaemon: (device, ended) =>
      kernel
        .connections()
        .get(device)
        ?.onExit(() => ended('exited')) ?? { [Symbol.dispose]: () => undefined },
    [Symbol.dispose]() {
      prepared[Symbol.dispose]();
      watches.dispose();
    },
  };
}

function openContext({ kernel, sys, tier }: ModelledPortOptions, watches: DisposableStack): KernelContext {
  const namespaces = must(openNamespaces(sys, undefined));
  const staging = must(openStaging(sys, namespaces));
  const table = must(namespaces.openTable());
  const parse = createMountinfoParser();
  let known: readonly Mount[] | undefined;
  watches.use(
    kernel.watch(() => {
      known = undefined;
    }),
  );
  return {
    ...{ sys, namespaces, staging, tier },
    clones: { keep: (_, tree) => sys.close(tree), take: () => undefined, [Symbol.dispose]: () => undefined },
    late: { close: (fd) => sys.close(fd), [Symbol.dispose]: () => undefined },
    walker: {
      prepare: () => undefined,
      open(at, path) {
        try {
          return sys.openat2({ at, path: path === '' ? '.' : path, flags: O_PATH, resolve: 0 });
        } catch (error) {
          if (!(error instanceof WouldBlock)) throw error;
          return failed({ errno: 'EINPROGRESS', call: 'openat2', path, step: '' });
        }
      },
      [Symbol.dispose]: () => undefined,
    },
    nodeTable() {
      if (known !== undefined) return ok(known);
      const text = sys.readText(table);
      if (!text.ok) return text;
      known = parse(text.value);
      return ok(known);
    },
  };
}

function must<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(`the modelled kernel cannot start an agent: ${result.failure.call} ${result.failure.errno}`);
}
