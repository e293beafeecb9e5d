import { isDeepStrictEqual } from 'node:util';
import type { Container, DeviceId, Mount } from '../engine/model.ts';
import { MountTree, normalizePath } from '../engine/mount-sites.ts';
import type { ContainerScope } from '../engine/ports.ts';
import { podOf } from './kubelet.ts';
import { parseMountinfo } from './mountinfo.ts';
import {
  type NamespacedProcess,
  type ProcessFiles,
  type ProcessNamespaces,
  preparedFor,
  tooLong,
} from './processes.ts';
import { belowRoot, relativePath } from './stack.ts';

export interface ContainerIdentity {
  readonly podUid: string;
  readonly name: string;
  /** Where the termination log is mounted. */
  readonly terminationLog: string;
}

/** The kubelet's directory of pods, as mount tables show what is bound from it. */
export interface PodsDirectory {
  readonly device: DeviceId;
  /** Path within the filesystem, which differs from the path on the node if the filesystem is mounted elsewhere than at `/`. */
  readonly root: string;
}

/**
 * Finds the kubelet's directory of pods in the node's mount table. The device comes from mountinfo, too, because that of stat differs
 * on btrfs.
 */
export function podsDirectory(node: readonly Mount[], kubeletRoot: string): PodsDirectory | undefined {
  const path = normalizePath(`${kubeletRoot}/pods`);
  const { stack, above } = MountTree.of(node).at(path);
  const mount = stack.at(-1) ?? above.at(-1);
  if (mount === undefined) return undefined;
  const { device, root, mountPoint } = mount;
  return { device, root: normalizePath(`${root}/${relativePath(mountPoint, path)}`) };
}

/** What a mount table shows about the container that it belongs to. */
type Identification =
  | { readonly kind: 'container'; readonly identity: ContainerIdentity }
  | { readonly kind: 'none' }
  /** It has files like those of the kubelet, but they do not identify one container. */
  | { readonly kind: 'unknown'; readonly reason: string };

const looksLikeTerminationLog = /\/pods\/[^/]+\/containers\/[^/]+\/[^/]+$/;

/**
 * Identifies the container that a mount table belongs to by the termination log that the kubelet binds into every container. A pod can
 * mount directories of its own with any names, but it has no other way to a file directly below another pod's `containers/<name>`.
 * A pod may mount its own /etc/hosts, but if the kubelet's is mounted it must be of the same pod.
 */
export function identifyContainer(mounts: readonly Mount[], pods: PodsDirectory): Identification {
  const files = mounts.flatMap(({ device, root, mountPoint }) => {
    const path = device === pods.device ? belowRoot(pods.root, root) : undefined;
    return path === undefined ? [] : [{ parts: path.split('/'), mountPoint }];
  });
  const logs = files.flatMap(({ parts: [podUid, directory, name, id, ...rest], mountPoint }) =>
    podUid && directory === 'containers' && name && id && rest.length === 0
      ? [{ podUid, name, terminationLog: mountPoint }]
      : [],
  );
  const [identity, ...others] = logs;
  if (identity === undefined) {
    return mounts.some(({ root }) => looksLikeTerminationLog.test(root))
      ? { kind: 'unknown', reason: "a mount resembles a termination log but is not in the kubelet's directory" }
      : { kind: 'none' };
  }
  if (others.length > 0) return { kind: 'unknown', reason: 'several termination logs are mounted' };
  const { podUid } = identity;
  const isForeign = files.some(
    ({ parts: [uid, file, ...rest] }) => file === 'etc-hosts' && rest.length === 0 && uid !== podUid,
  );
  return isForeign
    ? { kind: 'unknown', reason: "the termination log and the kubelet's hosts file are of different pods" }
    : { kind: 'container', identity };
}

/** A mount namespace whose container cannot be identified, which is therefore left alone. */
export interface UnknownContainer {
  readonly pid: number;
  /** Of the pod whose cgroup it is in, undefined if it is in none. */
  readonly podUid: string | undefined;
  readonly reason: string;
}

export interface ContainerScan {
  readonly files: ProcessFiles;
  /** Mount namespaces that are never scanned, `mnt:[inode]`: the node's and our own. */
  readonly except: () => ReadonlySet<string>;
  /** No container is found if it is undefined. */
  readonly pods: () => PodsDirectory | undefined;
  /** Called once for each pod and reason, as a tenant may have thousands of such namespaces; once for each namespace outside of pods. */
  readonly onUnknown?: (unknown: UnknownContainer) => void;
  readonly processes: ProcessNamespaces;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Milliseconds that tables may take in one turn of the event loop if an earlier read of them will do. */
const readingBudget = 10;

/** A container younger than this, in milliseconds, may still be under construction, so its table is read at each scan. */
const settlingTime = 3_000;

/** A mount namespace that has not become a container's after this time, in milliseconds, is read again at `fresh` scans only. */
const strangerAfter = 10_000;

/** Finds the containers of pods among the mount namespaces of the node. */
export interface Containers {
  /** Returns the same array as before if nothing has changed. */
  find(scope: ContainerScope): readonly Container[];
  /** Reads what the next `find('fresh')` needs, a process or a table at each step. */
  prepare(): Generator<void>;
  /** Invalidates the mount table of a process's container. */
  changed(pid: number): void;
}

/** A container, with the start time that reveals a reused pid. */
interface KnownContainer {
  readonly container: Container;
  readonly startTime: string;
  /** Text of its mount table, which is parsed again only if it has changed. */
  readonly text: string;
  /** Milliseconds, monotonic. */
  readonly firstSeen: number;
}

/** What was read of a mount namespace in preparation of a scan. */
interface PreparedNamespace {
  readonly pids: readonly number[];
  readonly entry: KnownContainer | undefined;
  /** If its container cannot be identified. */
  readonly unknown?: UnknownContainer;
  /** Milliseconds, monotonic. */
  readonly readAt: number;
}

/** One scan. */
interface Scan extends Omit<ContainerScan, 'pods' | 'onUnknown'> {
  readonly pods: PodsDirectory | undefined;
  /** By mount namespace. */
  readonly prepared: ReadonlyMap<string, PreparedNamespace>;
  /** Mount namespaces that were no container's, and when they were first seen. */
  readonly strangers: ReadonlyMap<string, number>;
  readonly onUnknown: (unknown: UnknownContainer, mountNamespace: string) => void;
}

interface ScanResult {
  readonly found: readonly KnownContainer[];
  readonly strangers: ReadonlyMap<string, number>;
}

export function createContainers(options: ContainerScan): Containers {
  let reported: ReadonlySet<string> = new Set();
  let known: ReadonlyMap<string, KnownContainer> = new Map();
  let containers: readonly Container[] = [];
  const outdated = new Set<number>();
  let prepared = new Map<string, PreparedNamespace>();
  let strangers: ReadonlyMap<string, number> = new Map();
  /** Of the last scan. */
  let scannedPods: PodsDirectory | undefined;
  return {
    changed(pid) {
      outdated.add(pid);
      prepared = new Map();
    },
    *prepare() {
      yield* options.processes.prepare();
      prepared = new Map();
      const pods = options.pods();
      const except = options.except();
      for (const [mountNamespace, pids] of namespaces(options.processes.locate(true))) {
        if (except.has(mountNamespace)) continue;
        let unknown: UnknownContainer | undefined;
        const onUnknown: Scan['onUnknown'] = (found) => {
          unknown = found;
        };
        const scan = { ...options, pods, prepared, strangers, onUnknown };
        const entry = inspect(scan, pids, mountNamespace, known.get(mountNamespace));
        const readAt = options.now();
        if (entry !== 'gone')
          prepared.set(mountNamespace, { pids, entry, readAt, ...(unknown === undefined ? {} : { unknown }) });
        yield;
      }
    },
    find(scope) {
      const pods = options.pods();
      if (!isDeepStrictEqual(pods, scannedPods)) strangers = new Map();
      scannedPods = pods;
      const unknown = new Set<string>();
      const scan: Scan = {
        ...options,
        pods,
        prepared: scope === 'fresh' ? prepared : new Map(),
        strangers,
        onUnknown(found, mountNamespace) {
          const key = `${found.podUid ?? mountNamespace} ${found.reason}`;
          if (!reported.has(key) && !unknown.has(key)) options.onUnknown?.(found);
          unknown.add(key);
        },
      };
      const rescan = scope === 'new' ? outdated : undefined;
      const result = scope === 'known' ? undefined : scanAll(scan, known, rescan);
      const found = result?.found ?? readAgain(scan, known, outdated);
      if (result !== undefined) strangers = result.strangers;
      if (scope !== 'known') outdated.clear();
      prepared = new Map();
      // Those that a scan has passed over are as they were.
      reported = scope === 'fresh' ? unknown : new Set([...reported, ...unknown]);
      known = new Map(found.map((entry) => [entry.container.mountNamespace, entry]));
      const isSame =
        found.length === containers.length && found.every(({ container }, index) => container === containers[index]);
      if (!isSame) containers = found.map(({ container }) => container);
      return containers;
    },
  };
}

/** The processes of each mount namespace, by ascending pid. */
function namespaces(processes: readonly NamespacedProcess[]): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const { pid, mountNamespace } of processes) {
    const pids = found.get(mountNamespace);
    if (pids === undefined) found.set(mountNamespace, [pid]);
    else pids.push(pid);
  }
  return found;
}

/** Scans each namespace. If `outdated` is given, settled containers are read again only if their process is in it. */
function scanAll(
  scan: Scan,
  known: ReadonlyMap<string, KnownContainer>,
  outdated: ReadonlySet<number> | undefined,
): ScanResult {
  const began = scan.now();
  const except = scan.except();
  const found: KnownContainer[] = [];
  const strangers = new Map<string, number>();
  for (const [mountNamespace, pids] of namespaces(scan.processes.locate(outdated !== undefined))) {
    if (except.has(mountNamespace)) continue;
    const before = known.get(mountNamespace);
    const strangeSince = scan.strangers.get(mountNamespace);
    if (outdated !== undefined && strangeSince !== undefined && scan.now() - strangeSince >= strangerAfter) {
      strangers.set(mountNamespace, strangeSince);
      continue;
    }
    const isSettled =
      before !== undefined &&
      pids.includes(before.container.pid) &&
      scan.now() - before.firstSeen >= settlingTime &&
      outdated?.has(before.container.pid) === false;
    const mayReadAgain = scan.now() - began < readingBudget;
    const entry = isSettled ? before : readPrepared(scan, { pids, mountNamespace, before, mayReadAgain });
    if (entry === undefined && scan.pods !== undefined) strangers.set(mountNamespace, strangeSince ?? scan.now());
    if (entry !== undefined && entry !== 'gone') found.push(entry);
  }
  return { found, strangers };
}

/** What was read in preparation of the scan, or else reads it. If it was read long ago, it is read again unless others took too long. */
function readPrepared(
  scan: Scan,
  {
    pids,
    mountNamespace,
    before,
    mayReadAgain,
  }: {
    readonly pids: readonly number[];
    readonly mountNamespace: string;
    readonly before: KnownContainer | undefined;
    readonly mayReadAgain: boolean;
  },
): KnownContainer | undefined | 'gone' {
  const prepared = scan.prepared.get(mountNamespace);
  const isOld = prepared !== undefined && scan.now() - prepared.readAt >= preparedFor;
  if (prepared?.pids.join() !== pids.join() || (isOld && mayReadAgain))
    return inspect(scan, pids, mountNamespace, before);
  if (prepared.unknown !== undefined) scan.onUnknown(prepared.unknown, mountNamespace);
  return prepared.entry;
}

/**
 * Reads the known containers again, those first whose mounts were changed, and for some milliseconds only. The others are as they were last
 * read: a replacement fails with ESTALE if one is outdated, and they come first the next time.
 */
function readAgain(
  scan: Scan,
  known: ReadonlyMap<string, KnownContainer>,
  outdated: Set<number>,
): readonly KnownContainer[] {
  const began = scan.now();
  const isOutdated = ({ container: { pid } }: KnownContainer) => outdated.has(pid);
  const all = [...known.values()];
  const unread: KnownContainer[] = [];
  const found: KnownContainer[] = [];
  for (const before of [...all.filter(isOutdated), ...all.filter((each) => !isOutdated(each))]) {
    const { pid, mountNamespace } = before.container;
    // One that has ended is always noticed, as it did not fail to recover.
    if (scan.files.namespaceOf(pid, 'mnt') !== mountNamespace) continue;
    if (scan.now() - began >= readingBudget) {
      unread.push(before);
      continue;
    }
    outdated.delete(pid);
    const entry = read(scan, pid, mountNamespace, before);
    if (entry !== undefined && entry !== 'gone' && entry.startTime === before.startTime) found.push(entry);
  }
  return [...unread, ...found];
}

/**
 * The container of a mount namespace, undefined if it is none. Its process is the one that was found before, or else process 1 of a PID
 * namespace, or the one that started first: a visitor may have any pid, and another user and user namespace than the container.
 */
function inspect(
  scan: Scan,
  pids: readonly number[],
  mountNamespace: string,
  before: KnownContainer | undefined,
): KnownContainer | undefined | 'gone' {
  const known = pids.filter((pid) => pid === before?.container.pid);
  for (const pid of [...known, ...pids]) {
    const entry = read(scan, pid, mountNamespace, before);
    if (entry === 'gone') continue;
    if (entry === undefined || (pid === known[0] && entry.startTime === before?.startTime)) return entry;
    const main = mainProcess(scan.files, pids);
    if (main === undefined) return 'gone';
    return main === pid ? entry : read(scan, main, mountNamespace, before);
  }
  return 'gone';
}

/** Processes of a namespace that are compared. The first is nearly always among the lowest pids. */
const maxCompared = 64;

/** Tenants and visitors can choose neither, because kernel and container runtime have made the container before they came. */
function mainProcess(files: ProcessFiles, pids: readonly number[]): number | undefined {
  const own = pids.slice(0, maxCompared).filter((pid) => files.isHelper(pid) === false);
  const start = (pid: number) => Number(files.startTime(pid) ?? Number.POSITIVE_INFINITY);
  return own.find((pid) => files.isFirst(pid)) ?? own.toSorted((a, b) => start(a) - start(b))[0];
}

/** Reads the table and the identity of one process. Undefined if the namespace is not a container's. */
function read(
  { files, now, pods, onUnknown }: Scan,
  pid: number,
  mountNamespace: string,
  before: KnownContainer | undefined,
): KnownContainer | undefined | 'gone' {
  const isUnknown = (reason: string) =>
    onUnknown({ pid, podUid: podOf(files.cgroup(pid) ?? ''), reason }, mountNamespace);
  const started = files.startTime(pid);
  const text = files.mountTable(pid);
  if (text === undefined || started === undefined) return 'gone';
  if (text === tooLong) {
    isUnknown('it has too many mounts for a container');
    return undefined;
  }
  const same = before?.text === text && before.startTime === started ? before : undefined;
  const mounts = same?.container.mounts ?? parseMountinfo(text);
  if (pods === undefined) return undefined;
  const identification = identifyContainer(mounts, pods);
  if (identification.kind === 'unknown') isUnknown(identification.reason);
  if (identification.kind !== 'container') return undefined;
  const user = files.credentials(pid);
  const userNamespace = files.namespaceOf(pid, 'user');
  if (user === undefined || userNamespace === undefined) return 'gone';
  const foreign = userNamespace !== files.namespaceOf('self', 'user');
  const { identity } = identification;
  const seen = { ...identity, pid, mountNamespace, ...(foreign ? { userNamespace } : {}), user, mounts };
  const container = same !== undefined && isDeepStrictEqual(same.container, seen) ? same.container : seen;
  return { container, startTime: started, text, firstSeen: before?.startTime === started ? before.firstSeen : now() };
}
