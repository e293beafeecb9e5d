import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type ContainerIdentity, containerIdentity } from '../../../recovery/linux/containers.ts';
import { loadSyscalls } from '../../../recovery/linux/load-syscalls.ts';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';
import { namespaceOf, processIds, startTime } from '../../../recovery/linux/processes.ts';
import { watchProcesses } from '../../../recovery/linux/watch.ts';
import type { HistoryEvent } from '../../../src/timeline/record.ts';
import { MountWatch } from '../../node/mount-watch.ts';
import type { NodeContainer } from '../../node/node-program.ts';
import type { LoggedContainer } from './pod-logs.ts';

const proc = '/proc';

/**
 * The container of a pod that runs now. Those who only look into its mount namespace, as the agent's prober does, are not its
 * process 1, which is the first of its PID namespace, or the oldest where it has none of its own.
 */
export function findContainer(wanted: ContainerIdentity): number | undefined {
  const pids = processesOf(wanted);
  return pids.find(isFirst) ?? pids[0];
}

/** Processes in a container's mount namespace, the oldest first. */
export function processesOf(wanted: ContainerIdentity): readonly number[] {
  const node = namespaceOf(proc, 1, 'mnt');
  const namespaces = Map.groupBy(processIds(proc), (pid) => namespaceOf(proc, pid, 'mnt'));
  for (const [namespace, pids] of namespaces)
    if (namespace !== undefined && namespace !== node && pids.some((pid) => isOf(pid, wanted))) return pids;
  return [];
}

function isOf(pid: number, { podUid, name }: ContainerIdentity): boolean {
  const found = containerIdentity(parseMountinfo(read(`${proc}/${pid}/mountinfo`)));
  return found?.podUid === podUid && found.name === name;
}

/** Of a PID namespace below the node's. */
function isFirst(pid: number): boolean {
  return /^NSpid:\s.*\s1$/m.test(read(`${proc}/${pid}/status`));
}

/** When a process was started, on CLOCK_MONOTONIC, to 10 ms; undefined where it is gone. */
export function startedAt(pid: number): number | undefined {
  const ticks = startTime(proc, pid);
  if (ticks === undefined) return undefined;
  const bootSeconds = Number(read('/proc/uptime').split(' ')[0]);
  const agoNs = (bootSeconds - Number(ticks) / 100) * 1e9;
  return Number(process.hrtime.bigint()) - Math.max(0, agoNs);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

type Role = 'daemon' | 'container' | 'agent';

/** What a container is in the history. */
export interface Casting {
  readonly role: Role;
  readonly name: string;
}

const lookEveryMs = 20;
/** The runtime makes the log before it starts the process, and may never come to that. */
const patienceMs = 60_000;

/** Tells when containers are started and end, and what is mounted in those of applications. */
export class WatchedContainers implements Disposable {
  readonly #onEvent: (event: HistoryEvent) => void;
  readonly #mounts: MountWatch;
  readonly #sys = loadSyscalls();
  readonly #running = new Map<number, { readonly exited: Promise<unknown>; readonly stop: DisposableStack }>();
  /** The newest start of each container that is or was waited for. */
  readonly #newest = new Map<string, LoggedContainer>();
  readonly #over = new AbortController();

  constructor(onEvent: (event: HistoryEvent) => void) {
    this.#onEvent = onEvent;
    this.#mounts = new MountWatch(onEvent);
    this.#mounts.watch(1, 'node');
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    for (const { stop } of this.#running.values()) stop.dispose();
    this.#mounts[Symbol.dispose]();
  }

  /** Waits for the process of a container that is about to be started, and watches it to its end. */
  async watch(container: LoggedContainer, { role, name }: Casting): Promise<void> {
    const pid = await this.#processOf(container);
    if (pid === undefined) return;
    const at = startedAt(pid) ?? now();
    this.#onEvent({ kind: 'process', at, role, name, change: 'started', pid });
    const { namespace, pod, restart: restartCount } = container;
    if (restartCount > 0 && role !== 'agent') {
      const address = { pod: `${namespace}/${pod}`, container: container.container };
      this.#onEvent({ kind: 'kubelet', at, event: 'restarted', ...address, restartCount });
    }
    const { promise: exited, resolve } = Promise.withResolvers<void>();
    const stop = new DisposableStack();
    this.#running.set(pid, { exited, stop });
    if (role === 'container') this.#watchMounts(stop, pid, name);
    stop.use(
      watchProcesses(this.#sys, [pid], () => {
        this.#onEvent({ kind: 'process', at: now(), role, name, change: 'exited', pid });
        this.#running.delete(pid);
        stop.dispose();
        resolve();
      }),
    );
  }

  /** The container that runs now. */
  find(podUid: string, name: string): NodeContainer | undefined {
    const found = findContainer({ podUid, name });
    if (!found) return undefined;
    return { pid: found, exited: this.#running.get(found)?.exited ?? new Promise(() => {}) };
  }

  async #processOf(awaited: LoggedContainer): Promise<number | undefined> {
    const { signal } = this.#over;
    const { uid, container } = awaited;
    const key = `${uid}/${container}`;
    this.#newest.set(key, awaited);
    const deadline = now() + patienceMs * 1e6;
    while (this.#newest.get(key) === awaited && now() < deadline && !signal.aborted) {
      const found = findContainer({ podUid: uid, name: container });
      if (found && !this.#running.has(found)) return found;
      await delay(lookEveryMs, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  #watchMounts(stop: DisposableStack, pid: number, where: string): void {
    try {
      stop.use(this.#mounts.watch(pid, where));
    } catch {
      // It has ended already.
    }
  }
}

function now(): number {
  return Number(process.hrtime.bigint());
}
