import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { monotonicNow } from '../../../recovery/clock.ts';
import { loadSyscalls } from '../../../recovery/linux/load-syscalls.ts';
import { parseMountinfo } from '../../../recovery/linux/mountinfo.ts';
import { namespaceOf, processIds, startTime } from '../../../recovery/linux/processes.ts';
import { watchProcesses } from '../../../recovery/linux/watch.ts';
import type { HistoryEvent } from '../../../src/timeline/record.ts';
import { MountWatch } from '../../node/mount-watch.ts';
import type { NodeContainer } from '../../node/node-program.ts';
import { pollOrLast } from '../../poll.ts';
import type { LoggedContainer } from './pod-logs.ts';

const proc = '/proc';

/** A container as its pod's spec names it. */
interface ContainerKey {
  readonly podUid: string;
  readonly name: string;
}

/**
 * Process 1 of a running container: the first process of its PID namespace, or the oldest if it has no PID namespace of its own. Other
 * processes, such as the agent's prober, only visit its mount namespace.
 */
export function findContainer(wanted: ContainerKey): number | undefined {
  const pids = processesOf(wanted);
  return pids.find(isFirst) ?? pids[0];
}

/** The processes in a container's mount namespace, oldest first. */
export function processesOf(wanted: ContainerKey): readonly number[] {
  const node = namespaceOf(proc, 1, 'mnt');
  const namespaces = Map.groupBy(processIds(proc), (pid) => namespaceOf(proc, pid, 'mnt'));
  for (const [namespace, pids] of namespaces)
    if (namespace !== undefined && namespace !== node && pids.some((pid) => belongsTo(pid, wanted))) return pids;
  return [];
}

function belongsTo(pid: number, { podUid, name }: ContainerKey): boolean {
  const log = `/pods/${podUid}/containers/${name}`;
  return parseMountinfo(read(`${proc}/${pid}/mountinfo`)).some(({ root }) => dirname(root).endsWith(log));
}

/** It is process 1 of a PID namespace below the node's. */
function isFirst(pid: number): boolean {
  return /^NSpid:\s.*\s1$/m.test(read(`${proc}/${pid}/status`));
}

/** Start time of a process on CLOCK_MONOTONIC, with a precision of 10 ms. Undefined if it is gone. */
export function startedAt(pid: number): number | undefined {
  const ticks = startTime(proc, pid);
  if (ticks === undefined) return undefined;
  const bootSeconds = Number(read('/proc/uptime').split(' ')[0]);
  const agoNs = (bootSeconds - Number(ticks) / 100) * 1e9;
  return monotonicNow() - Math.max(0, agoNs);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

type Role = 'daemon' | 'container' | 'agent';

/** Names a container in the history. */
export interface ContainerIdentification {
  readonly role: Role;
  readonly name: string;
}

/** The runtime creates the log before it starts the process, and the start may fail. */
const startTimeoutMs = 60_000;

/** Reports starts and ends of containers, and mounts in those of applications. */
export class WatchedContainers {
  readonly #onEvent: (event: HistoryEvent) => void;
  readonly #mounts: MountWatch;
  readonly #sys = loadSyscalls();
  readonly #running = new Map<number, { readonly exited: Promise<unknown>; readonly stop: DisposableStack }>();
  /** The newest start of each container. */
  readonly #newest = new Map<string, LoggedContainer>();

  constructor(onEvent: (event: HistoryEvent) => void) {
    this.#onEvent = onEvent;
    this.#mounts = new MountWatch(onEvent);
    this.#mounts.watch(1, 'node');
  }

  /** Waits for the process of a container that is about to start, and watches it until it ends. */
  async watch(container: LoggedContainer, { role, name }: ContainerIdentification): Promise<void> {
    const pid = await this.#awaitProcess(container);
    if (pid === undefined) return;
    const at = startedAt(pid) ?? monotonicNow();
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
        this.#onEvent({ kind: 'process', at: monotonicNow(), role, name, change: 'exited', pid });
        this.#running.delete(pid);
        stop.dispose();
        resolve();
      }),
    );
  }

  /** The container's running process. */
  find(podUid: string, name: string): NodeContainer | undefined {
    const found = findContainer({ podUid, name });
    if (!found) return undefined;
    return { pid: found, exited: this.#running.get(found)?.exited ?? new Promise(() => {}) };
  }

  async #awaitProcess(awaited: LoggedContainer): Promise<number | undefined> {
    const { uid, container } = awaited;
    const key = `${uid}/${container}`;
    this.#newest.set(key, awaited);
    const found = await pollOrLast({
      read: () => findContainer({ podUid: uid, name: container }),
      until: (found) => (found && !this.#running.has(found)) || this.#newest.get(key) !== awaited,
      timeoutMs: startTimeoutMs,
    });
    return found !== undefined && !this.#running.has(found) && this.#newest.get(key) === awaited ? found : undefined;
  }

  #watchMounts(stop: DisposableStack, pid: number, where: string): void {
    try {
      stop.use(this.#mounts.watch(pid, where));
    } catch {
      // It has already ended.
    }
  }
}
