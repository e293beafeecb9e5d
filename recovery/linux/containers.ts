import { closeSync, openSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Container } from '../engine/model.ts';
import type { ContainerScope } from '../engine/ports.ts';
import { containerIdentity } from './container-identity.ts';
import { parseMountinfo } from './mountinfo.ts';
import { credentialsOf, namespaceOf, startTime } from './process.ts';
import type { ProcessNamespaces } from './process-namespaces.ts';
import type { Syscalls } from './syscalls.ts';

export interface ContainerScan {
  /** Where the processes of the node show: `/proc`. */
  readonly proc: string;
  /** Mount namespaces that are never looked into, `mnt:[inode]`: the node's and our own. */
  readonly except: () => ReadonlySet<string>;
  readonly sys: Pick<Syscalls, 'readText'>;
  readonly processes: ProcessNamespaces;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** A container that was first seen less than this ago may still be being made: its table is read at each scan. */
const youthMs = 3_000;

/** Finds the containers of pods among the mount namespaces of the node. */
export interface Containers {
  /** The same array as before where nothing has changed. */
  find(scope: ContainerScope): readonly Container[];
  /** Its table is another by now: it is read again at the next look. */
  changed(pid: number): void;
}

/** A container, and what tells that its pid is still the same process. */
interface Known {
  readonly container: Container;
  readonly startTime: string;
  /** Of its mount table; the same text is not parsed again. */
  readonly text: string;
  /** When it was first seen, in milliseconds. */
  readonly since: number;
}

export function createContainers(scan: ContainerScan): Containers {
  let known: ReadonlyMap<string, Known> = new Map();
  let containers: readonly Container[] = [];
  const outdated = new Set<number>();
  return {
    changed: (pid) => void outdated.add(pid),
    find(scope) {
      const keeps = scope === 'new' ? outdated : undefined;
      const found = scope === 'known' ? readAgain(scan, known) : scanAll(scan, known, keeps);
      outdated.clear();
      known = new Map(found.map((one) => [one.container.mountNamespace, one]));
      const isSame =
        found.length === containers.length && found.every(({ container }, at) => container === containers[at]);
      if (!isSame) containers = found.map(({ container }) => container);
      return containers;
    },
  };
}

/**
 * Of each namespace the process with the lowest pid speaks for it: in a container that is its process 1. Where `outdated` is
 * given, what is known is not read again, except of these processes.
 */
function scanAll(
  scan: ContainerScan,
  known: ReadonlyMap<string, Known>,
  outdated: ReadonlySet<number> | undefined,
): readonly Known[] {
  const seen = new Set(scan.except());
  const found: Known[] = [];
  for (const { pid, mountNamespace } of scan.processes.locate(outdated !== undefined)) {
    if (seen.has(mountNamespace)) continue;
    const before = known.get(mountNamespace);
    const isSettled = before?.container.pid === pid && scan.now() - before.since >= youthMs;
    const one = isSettled && outdated?.has(pid) === false ? before : look(scan, pid, mountNamespace, before);
    if (one === 'gone') continue;
    seen.add(mountNamespace);
    if (one !== undefined) found.push(one);
  }
  return found;
}

function readAgain(scan: ContainerScan, known: ReadonlyMap<string, Known>): readonly Known[] {
  return [...known.values()].flatMap((before) => {
    const { pid, mountNamespace } = before.container;
    if (namespaceOf(scan.proc, pid, 'mnt') !== mountNamespace) return [];
    const one = look(scan, pid, mountNamespace, before);
    return one === undefined || one === 'gone' || one.startTime !== before.startTime ? [] : [one];
  });
}

/** Undefined where the namespace is no container's. */
function look(
  { proc, sys, now }: ContainerScan,
  pid: number,
  mountNamespace: string,
  before: Known | undefined,
): Known | undefined | 'gone' {
  const started = startTime(proc, pid);
  const text = tableOf(sys, `${proc}/${pid}/mountinfo`);
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
  return { container, startTime: started, text, since: before?.startTime === started ? before.since : now() };
}

/** The descriptor is not kept: it would keep the mounts of a dead pod alive. */
function tableOf(sys: Pick<Syscalls, 'readText'>, path: string): string | undefined {
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
