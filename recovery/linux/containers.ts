import { closeSync, openSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Container, Mount } from '../engine/model.ts';
import type { ContainerScope } from '../engine/ports.ts';
import { parseMountinfo } from './mountinfo.ts';
import { credentialsOf, namespaceOf, type ProcessNamespaces, startTime } from './processes.ts';
import type { Syscalls } from './syscalls.ts';

export interface ContainerIdentity {
  readonly podUid: string;
  readonly name: string;
}

const terminationLog = /\/pods\/([^/]+)\/containers\/([^/]+)\/[^/]+$/;
const etcHosts = /\/pods\/([^/]+)\/etc-hosts$/;

/**
 * The container that a mount table belongs to, from the files that the kubelet binds into every container; undefined if it is not a
 * container's. The termination log is recognised by its root, because the pod chooses its mount point. A pod may mount its own
 * /etc/hosts, but if the kubelet's is mounted it must be of the same pod.
 */
export function containerIdentity(mounts: readonly Mount[]): ContainerIdentity | undefined {
  const found = mounts.map(({ root }) => terminationLog.exec(root)).find((match) => match !== null);
  const [, podUid, name] = found ?? [];
  if (podUid === undefined || name === undefined) return undefined;
  for (const { mountPoint, root } of mounts) {
    const hosts = mountPoint === '/etc/hosts' ? etcHosts.exec(root) : null;
    if (hosts !== null && hosts[1] !== podUid) return undefined;
  }
  return { podUid, name };
}

export interface ContainerScan {
  /** Mount point of the node's proc: `/proc`. */
  readonly proc: string;
  /** Mount namespaces that are never scanned, `mnt:[inode]`: the node's and our own. */
  readonly except: () => ReadonlySet<string>;
  readonly sys: Pick<Syscalls, 'readText'>;
  readonly processes: ProcessNamespaces;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** A container younger than this, in milliseconds, may still be under construction, so its table is read at each scan. */
const settlingTime = 3_000;

/** Finds the containers of pods among the mount namespaces of the node. */
export interface Containers {
  /** Returns the same array as before if nothing has changed. */
  find(scope: ContainerScope): readonly Container[];
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

export function createContainers(scan: ContainerScan): Containers {
  let known: ReadonlyMap<string, KnownContainer> = new Map();
  let containers: readonly Container[] = [];
  const outdated = new Set<number>();
  return {
    changed: (pid) => void outdated.add(pid),
    find(scope) {
      const rescan = scope === 'new' ? outdated : undefined;
      const found = scope === 'known' ? readAgain(scan, known) : scanAll(scan, known, rescan);
      outdated.clear();
      known = new Map(found.map((entry) => [entry.container.mountNamespace, entry]));
      const isSame =
        found.length === containers.length && found.every(({ container }, index) => container === containers[index]);
      if (!isSame) containers = found.map(({ container }) => container);
      return containers;
    },
  };
}

/**
 * Scans one process of each namespace, the one with the lowest pid, which in a container is its process 1. If `outdated` is given,
 * settled containers are read again only if their process is in it.
 */
function scanAll(
  scan: ContainerScan,
  known: ReadonlyMap<string, KnownContainer>,
  outdated: ReadonlySet<number> | undefined,
): readonly KnownContainer[] {
  const seen = new Set(scan.except());
  const found: KnownContainer[] = [];
  for (const { pid, mountNamespace } of scan.processes.locate(outdated !== undefined)) {
    if (seen.has(mountNamespace)) continue;
    const before = known.get(mountNamespace);
    const isSettled = before?.container.pid === pid && scan.now() - before.firstSeen >= settlingTime;
    const entry = isSettled && outdated?.has(pid) === false ? before : inspect(scan, pid, mountNamespace, before);
    if (entry === 'gone') continue;
    seen.add(mountNamespace);
    if (entry !== undefined) found.push(entry);
  }
  return found;
}

function readAgain(scan: ContainerScan, known: ReadonlyMap<string, KnownContainer>): readonly KnownContainer[] {
  return [...known.values()].flatMap((before) => {
    const { pid, mountNamespace } = before.container;
    if (namespaceOf(scan.proc, pid, 'mnt') !== mountNamespace) return [];
    const entry = inspect(scan, pid, mountNamespace, before);
    return entry === undefined || entry === 'gone' || entry.startTime !== before.startTime ? [] : [entry];
  });
}

/** Undefined if the namespace is not a container's. */
function inspect(
  { proc, sys, now }: ContainerScan,
  pid: number,
  mountNamespace: string,
  before: KnownContainer | undefined,
): KnownContainer | undefined | 'gone' {
  const started = startTime(proc, pid);
  const text = readTable(sys, `${proc}/${pid}/mountinfo`);
  if (text === undefined || started === undefined) return 'gone';
  const same = before?.text === text && before.startTime === started ? before : undefined;
  const mounts = same?.container.mounts ?? parseMountinfo(text);
  const identity = same?.container ?? containerIdentity(mounts);
  if (identity === undefined) return undefined;
  const user = credentialsOf(proc, pid);
  const userNamespace = namespaceOf(proc, pid, 'user');
  if (user === undefined || userNamespace === undefined) return 'gone';
  const foreign = userNamespace !== namespaceOf(proc, 'self', 'user');
  const { podUid, name } = identity;
  const read = { podUid, name, pid, mountNamespace, ...(foreign ? { userNamespace } : {}), user, mounts };
  const container = same !== undefined && isDeepStrictEqual(same.container, read) ? same.container : read;
  return { container, startTime: started, text, firstSeen: before?.startTime === started ? before.firstSeen : now() };
}

/** Opens the file each time, because an open descriptor would keep the mounts of a dead pod alive. */
function readTable(sys: Pick<Syscalls, 'readText'>, path: string): string | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      const text = sys.readText(fd);
      return text.ok && text.value !== '' ? text.value : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
