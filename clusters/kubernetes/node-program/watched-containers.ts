import { setTimeout as delay } from 'node:timers/promises';
import { loadSyscalls } from '../../../recovery/linux/libc.ts';
import { watchProcesses } from '../../../recovery/linux/watch.ts';
import type { HistoryEvent } from '../../../src/timeline/record.ts';
import { MountWatch } from '../../node/mount-watch.ts';
import type { NodeContainer } from '../../node/node-verbs.ts';
import { findContainer, startedAt } from './containers.ts';
import type { LoggedContainer } from './pod-logs.ts';

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
