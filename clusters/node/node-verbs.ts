import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { exitOf } from '../../fakes/kubelet/container.ts';
import type { Linux } from '../../fakes/kubelet/linux.ts';
import { type FaultyProxy, startFaultyProxy } from '../../fakes/store/faulty-proxy.ts';
import { credentialsOf } from '../../recovery/linux/processes.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import type { ContainerRef, ProbeOptions, StoreTrouble } from '../cluster.ts';
import { abortConnection } from './abort-connection.ts';
import type { MemoryCgroups } from './cgroups.ts';
import { onLines } from './lines.ts';
import { withoutEngineMounts } from './mount-watch.ts';
import type { NodeProcedures } from './procedures.ts';

/** Process 1 of a container that runs. */
export interface NodeContainer {
  readonly pid: number;
  readonly exited: Promise<unknown>;
}

/** What a node's verbs are made of. */
export interface NodeParts {
  readonly linux: Linux;
  readonly memory: MemoryCgroups | undefined;
  /** Of the programs that are started. */
  readonly environment: Readonly<Record<string, string>>;
  /** The probe's command, to which its flags are added. */
  readonly probe: readonly string[];
  /** A process in the mount namespace of the node. */
  readonly init: number | 'self';
  /** Where the object store is, and the address of this process for those who read from it. */
  readonly store: string;
  readonly address: string;
}

/** Takes what happens. */
export interface NodeListeners {
  readonly onEvent: (event: HistoryEvent) => void;
  /** Raw NDJSON of a probe, by the id that it was started with. */
  readonly onProbe: (probe: number, chunk: string) => void;
}

/** What is done to containers from their node, wherever that is: the sandbox's supervisor, or a pod of a real node. */
export abstract class NodeVerbs implements NodeProcedures {
  readonly #listeners: NodeListeners;
  readonly #started = new Map<number, () => unknown>();
  readonly #storeProxies = new Map<number, FaultyProxy>();
  readonly #whenReady = new Map<string, () => void>();

  constructor(listeners: NodeListeners) {
    this.#listeners = listeners;
  }

  protected abstract get parts(): NodeParts;

  /** @throws where it does not run */
  protected abstract container(target: ContainerRef): NodeContainer;

  /** What has to be done to end what was started with an id. */
  protected keep(id: number, end: () => unknown): void {
    this.#started.set(id, end);
  }

  /** Resolves when the program has ended; its lines are events until then. */
  protected async follow(
    program: ChildProcessByStdio<null, Readable, Readable>,
    { name, id }: { readonly name: string; readonly id: number },
  ) {
    this.keep(id, () => program.kill('SIGKILL'));
    const { onEvent } = this.#listeners;
    for (const stream of ['stdout', 'stderr'] as const)
      onLines(program[stream], (text) => onEvent({ kind: 'output', at: now(), program: name, stream, text }));
    const exit = await exitOf(program);
    this.#started.delete(id);
    return exit;
  }

  /** Who waits for a daemon to be ready hears of it. `container`: `<namespace>/<pod>/<container>`. */
  protected becameReady(container: string): void {
    this.#whenReady.get(container)?.();
    this.#whenReady.delete(container);
  }

  async end({ id }: { id: number }): Promise<void> {
    await this.#started.get(id)?.();
    this.#started.delete(id);
  }

  /** Ends everything that was started, the last first. */
  async endAll(): Promise<void> {
    for (const id of [...this.#started.keys()].toReversed()) await this.end({ id });
  }

  async probe({ options, id }: { options: ProbeOptions; id: number }): Promise<void> {
    const { environment, probe } = this.parts;
    const { target, path, rate, files } = options;
    const name = `${target.namespace}/${target.pod}/${target.container}:${path}`;
    const { pid } = this.container(target);
    // As the container's user sees it.
    const { uid = 0, gid = 0 } = credentialsOf('/proc', pid) ?? {};
    const identity = uid === 0 ? {} : { uid, gid };
    const flags = { pid, path, rate, name, files: JSON.stringify(files), ...identity };
    const [file = '', ...args] = probe;
    const child = spawn(file, [...args, ...Object.entries(flags).map(([key, value]) => `--${key}=${value}`)], {
      env: { ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const ready = Promise.withResolvers<void>();
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (chunk.includes('"event":"ready"')) ready.resolve();
      this.#listeners.onProbe(id, chunk);
    });
    onLines(child.stderr, (text) => (said = text));
    child.on('close', (status) => ready.reject(new Error(`the probe of ${name} ended with status ${status}: ${said}`)));
    const closed = once(child, 'close');
    this.keep(id, () => {
      child.kill('SIGTERM');
      return closed; // Its last lines count.
    });
    await ready.promise;
  }

  async kill({ target, signal }: { target: ContainerRef; signal: NodeJS.Signals }): Promise<number> {
    const { pid } = this.container(target);
    // Before: what dies of it may be seen to before this process runs again.
    const at = now();
    process.kill(pid, signal);
    return at;
  }

  async abortConnection({ daemon }: { daemon: ContainerRef }): Promise<number> {
    return abortConnection(this.parts.linux, this.container(daemon).pid);
  }

  async killWhenReady({ daemon, delayMs }: { daemon: ContainerRef; delayMs: number }): Promise<number> {
    const { namespace, pod, container } = daemon;
    await new Promise<void>((resolve) => this.#whenReady.set(`${namespace}/${pod}/${container}`, resolve));
    if (delayMs > 0) await delay(delayMs);
    return this.kill({ target: daemon, signal: 'SIGKILL' });
  }

  async outOfMemory({ target }: { target: ContainerRef }): Promise<number> {
    const { memory } = this.parts;
    if (!memory) throw new Error('no memory cgroup can be made here');
    const { pid, exited } = this.container(target);
    return memory.outOfMemory(pid, exited);
  }

  async mountTable({ target }: { target?: ContainerRef }): Promise<readonly string[]> {
    const pid = target ? this.container(target).pid : this.parts.init;
    const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trimEnd().split('\n');
    return target ? lines : withoutEngineMounts(lines);
  }

  async pid({ target }: { target: ContainerRef }): Promise<number> {
    return this.container(target).pid;
  }

  async openFaultyStore({ id }: { id: number }): Promise<string> {
    const { store, address } = this.parts;
    const proxy = await startFaultyProxy(store, address);
    this.#storeProxies.set(id, proxy);
    this.keep(id, () => proxy[Symbol.asyncDispose]());
    return proxy.endpoint;
  }

  async storeTrouble({ store, trouble, id }: { store: number; trouble: StoreTrouble; id: number }): Promise<void> {
    const inForce = this.#storeProxies.get(store)?.inject(trouble);
    this.keep(id, () => inForce?.[Symbol.dispose]());
  }
}

function now(): number {
  return Number(process.hrtime.bigint());
}
