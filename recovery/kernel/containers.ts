import { closeSync, openSync } from 'node:fs';
import type { Container } from '../engine/model.ts';
import type { ContainerScope } from '../engine/ports.ts';
import { containerIdentity } from './container-identity.ts';
import { parseMountinfo } from './mountinfo.ts';
import { credentialsOf, namespaceOf, processIds, startTime } from './process.ts';
import type { Syscalls } from './syscalls.ts';

export interface ContainerScan {
  /** Where the processes of the node show: `/proc`. */
  readonly proc: string;
  /** Mount namespaces that are never looked into, `mnt:[inode]`: the node's and our own. */
  readonly except: () => ReadonlySet<string>;
  readonly sys: Pick<Syscalls, 'readText'>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** A container that was first seen less than this ago may still be being made: its table is read at each scan. */
const youthMs = 10_000;

/** Finds the containers of pods among the mount namespaces of the node. */
export interface Containers {
  find(scope: ContainerScope): readonly Container[];
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
  return {
    find(scope) {
      const found = scope === 'known' ? readAgain(scan, known) : scanAll(scan, known, scope === 'new');
      known = new Map(found.map((one) => [one.container.mountNamespace, one]));
      return found.map(({ container }) => container);
    },
  };
}

/** Of each namespace the process with the lowest pid speaks for it: in a container that is its process 1. */
function scanAll(scan: ContainerScan, known: ReadonlyMap<string, Known>, onlyNew: boolean): readonly Known[] {
  const seen = new Set(scan.except());
  const found: Known[] = [];
  for (const pid of processIds(scan.proc)) {
    const mountNamespace = namespaceOf(scan.proc, pid, 'mnt');
    if (mountNamespace === undefined || seen.has(mountNamespace)) continue;
    const before = known.get(mountNamespace);
    const isSettled = before?.container.pid === pid && scan.now() - before.since >= youthMs;
    const one = onlyNew && isSettled ? before : look(scan, pid, mountNamespace, before);
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
  const container = { podUid, name, pid, mountNamespace, ...(foreign ? { userNamespace } : {}), user, mounts };
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
