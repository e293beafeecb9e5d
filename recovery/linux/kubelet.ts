import { isDeepStrictEqual } from 'node:util';
import type { Result } from '../engine/ports.ts';
import { namespaceOf, processIds, readProc, readProcLink } from './processes.ts';
import { inStep, ok } from './result.ts';
import type { Syscalls } from './syscalls.ts';
import { watchProcesses } from './watch.ts';

/** Names of the process that contains the kubelet: of itself, MicroK8s, K3s and older distributions. */
const names: ReadonlySet<string> = new Set(['kubelet', 'kubelite', 'k3s-server', 'k3s-agent', 'k3s', 'hyperkube']);

/** `unnamed`: no process has one of the known names. `several`: they are in different mount namespaces. */
export type KubeletSearch =
  | { readonly kind: 'found'; readonly pid: number; readonly mountNamespace: string }
  | { readonly kind: 'unnamed' }
  | { readonly kind: 'several'; readonly pids: readonly number[] };

/**
 * Finds the kubelet of this node: a process of the host's PID namespace, which is the agent's, that is in no pod. Its name alone proves nothing, because a pod
 * may name its processes like it, and a cluster in a pod has a kubelet of its own.
 */
export function findKubelet(proc: string): KubeletSearch {
  const host = readProcLink(`${proc}/self/ns/pid`);
  const init = cgroupsOf(proc, 1);
  const found = processIds(proc).flatMap((pid) => {
    if (!names.has(readProc(`${proc}/${pid}/comm`)?.trimEnd() ?? '')) return [];
    if (readProcLink(`${proc}/${pid}/ns/pid`) !== host || isInPod(cgroupsOf(proc, pid), init)) return [];
    const mountNamespace = namespaceOf(proc, pid, 'mnt');
    return mountNamespace === undefined ? [] : [{ pid, mountNamespace }];
  });
  const [first, ...others] = found;
  if (first === undefined) return { kind: 'unnamed' };
  const isSame = others.every(({ mountNamespace }) => mountNamespace === first.mountNamespace);
  return isSame ? { kind: 'found', ...first } : { kind: 'several', pids: found.map(({ pid }) => pid) };
}

/** Paths of a process's cgroups by hierarchy, relative to the agent's cgroup namespace; empty if it has ended. */
function cgroupsOf(proc: string, pid: number): ReadonlyMap<string, readonly string[]> {
  const lines = (readProc(`${proc}/${pid}/cgroup`) ?? '').split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const [hierarchy = '', controllers = '', ...path] = line.split(':');
      return [`${hierarchy}:${controllers}`, path.join(':').split('/')];
    }),
  );
}

/**
 * Whether a process is below the kubelet's cgroup of pods (`kubepods`, or `kubepods.slice` with systemd) of this node. What process 1 has
 * in common with it belongs to a cluster around this node, as if the node runs in a pod itself.
 */
function isInPod(cgroups: ReturnType<typeof cgroupsOf>, init: ReturnType<typeof cgroupsOf>): boolean {
  return [...cgroups].some(([hierarchy, path]) => {
    const around = init.get(hierarchy) ?? [];
    const own = path.slice(path.findIndex((part, at) => part !== around[at]));
    return own.some((part) => /(^|-)kubepods(\.slice|-|$)/.test(part));
  });
}

/**
 * The uid of the pod in whose cgroup a process is, which pods cannot choose; undefined if it is in none. `cgroup`: the text of
 * /proc/PID/cgroup, in which the systemd driver writes underscores.
 */
export function podOf(cgroup: string): string | undefined {
  return /pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})/.exec(cgroup)?.[1]?.replaceAll('_', '-');
}

/** The kubelet's mount namespace, held by a descriptor, so that a process that takes the kubelet's pid changes nothing. */
export interface KubeletNamespace extends Disposable {
  /** Leads to the descriptor in every process of the agent. The same path after the kubelet has restarted. */
  readonly path: string;
  /** Why the namespace is unknown; undefined if it is known. */
  missing(): string | undefined;
}

/** Milliseconds between two searches for a kubelet that has ended or is not unique. */
const searchInterval = 1_000;

/**
 * Holds the kubelet's mount namespace, and finds it again after the kubelet has ended. Process 1's is kept meanwhile, because it lives
 * as long as the node, but one of the kubelet's own is unknown from then on: the next kubelet may have another one.
 *
 * @param changed called after the namespace became known, unknown, or another one
 */
export function followKubelet(sys: Syscalls, changed: () => void): Result<KubeletNamespace> {
  // A placeholder while the namespace is unknown, so that no other file gets its number.
  const held = sys.open('/dev/null');
  if (!held.ok) return inStep('find-kubelet', '/dev/null', held);
  const fd = held.value;
  let state: { readonly mountNamespace: string } | { readonly missing: string } = { missing: 'no kubelet was found' };
  let hasBeenFound = false;
  let watch: Disposable | undefined;
  let timer: NodeJS.Timeout | undefined;

  const first = () => namespaceOf('/proc', 1, 'mnt');

  function lose(missing: string): void {
    const empty = sys.open('/dev/null');
    if (!empty.ok) return;
    sys.replaceDescriptor(empty.value, fd);
    sys.close(empty.value);
    state = { missing };
  }

  function hold(pid: number, mountNamespace: string): void {
    const namespace = sys.open(`/proc/${pid}/ns/mnt`);
    if (!namespace.ok) return;
    // Another process may have taken the pid.
    const isSame = readProcLink(`/proc/self/fd/${namespace.value}`) === mountNamespace;
    if (isSame && sys.replaceDescriptor(namespace.value, fd).ok) state = { mountNamespace };
    sys.close(namespace.value);
  }

  function search(): void {
    const found = findKubelet('/proc');
    if (found.kind === 'several') lose(`several processes may be the kubelet: ${found.pids.join(', ')}`);
    if (found.kind === 'found') {
      hasBeenFound = true;
      hold(found.mountNamespace === first() ? 1 : found.pid, found.mountNamespace);
      watch = watchProcesses(sys, [found.pid], ended);
    } else if (hasBeenFound || found.kind === 'several') searchLater();
    // Its name is not known on this distribution.
    else hold(1, first() ?? '');
  }

  function searchLater(): void {
    timer = setTimeout(() => {
      const before = state;
      search();
      if (!isDeepStrictEqual(before, state)) changed();
    }, searchInterval).unref();
  }

  function ended(): void {
    watch?.[Symbol.dispose]();
    if ('mountNamespace' in state && state.mountNamespace !== first()) {
      lose('the kubelet has ended and had a mount namespace of its own');
      changed();
    }
    searchLater();
  }

  search();
  return ok({
    path: `/proc/${process.pid}/fd/${fd}`,
    missing: () => ('missing' in state ? state.missing : undefined),
    [Symbol.dispose]() {
      clearTimeout(timer);
      watch?.[Symbol.dispose]();
      sys.close(fd);
    },
  });
}
