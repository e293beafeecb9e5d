import { closeSync, openSync } from 'node:fs';
import type { Container, Mount } from '../engine/model.ts';
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
}

/** Finds the containers of pods among the mount namespaces of the node. */
export interface Containers {
  /** `fresh`: looks at all processes. Otherwise only reads again those that were found before and still live. */
  find(fresh: boolean): readonly Container[];
}

/** A container, and what tells that its pid is still the same process. */
interface Known {
  readonly container: Container;
  readonly startTime: string;
}

export function createContainers(scan: ContainerScan): Containers {
  let known: readonly Known[] = [];
  return {
    find(fresh) {
      known = fresh ? scanAll(scan) : known.flatMap((one) => again(scan, one) ?? []);
      return known.map(({ container }) => container);
    },
  };
}

/** Of each namespace the process with the lowest pid speaks for it: in a container that is its process 1. */
function scanAll(scan: ContainerScan): readonly Known[] {
  const seen = new Set(scan.except());
  const found: Known[] = [];
  for (const pid of processIds(scan.proc)) {
    const mountNamespace = namespaceOf(scan.proc, pid, 'mnt');
    if (mountNamespace === undefined || seen.has(mountNamespace)) continue;
    const one = look(scan, pid, mountNamespace);
    if (one === 'gone') continue;
    seen.add(mountNamespace);
    if (one !== undefined) found.push(one);
  }
  return found;
}

function again(scan: ContainerScan, { container, startTime: before }: Known): Known | undefined {
  const { pid, mountNamespace } = container;
  if (startTime(scan.proc, pid) !== before || namespaceOf(scan.proc, pid, 'mnt') !== mountNamespace) return undefined;
  const one = look(scan, pid, mountNamespace);
  return one === 'gone' ? undefined : one;
}

/** Undefined where the namespace is no container's. */
function look({ proc, sys }: ContainerScan, pid: number, mountNamespace: string): Known | undefined | 'gone' {
  const started = startTime(proc, pid);
  const mounts = tableOf(sys, `${proc}/${pid}/mountinfo`);
  if (mounts === undefined || started === undefined) return 'gone';
  const identity = containerIdentity(mounts);
  if (identity === undefined) return undefined;
  const user = credentialsOf(proc, pid);
  const userNamespace = namespaceOf(proc, pid, 'user');
  if (user === undefined || userNamespace === undefined) return 'gone';
  const foreign = userNamespace !== namespaceOf(proc, 'self', 'user');
  const container = { ...identity, pid, mountNamespace, ...(foreign ? { userNamespace } : {}), user, mounts };
  return { container, startTime: started };
}

/** The descriptor is not kept: it would keep the mounts of a dead pod alive. */
function tableOf(sys: Pick<Syscalls, 'readText'>, path: string): readonly Mount[] | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      const text = sys.readText(fd);
      return text.ok && text.value !== '' ? parseMountinfo(text.value) : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
