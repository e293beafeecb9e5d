import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { Linux } from '../../fakes/kubelet/linux.ts';
import { lineSplitter, onLines } from '../../fakes/lines.ts';
import { exitOf, type Program, streamed } from '../../fakes/program.ts';
import { startFaultyProxy } from '../../fakes/store/faulty-proxy.ts';
import { monotonicNow } from '../../recovery/clock.ts';
import { credentialsOf } from '../../recovery/linux/processes.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import type {
  ContainerRef,
  FaultyStore,
  NodeVerbs,
  ProbeOptions,
  ProcessRef,
  ProgramRun,
  RunningProgram,
} from '../cluster.ts';
import { abortConnection } from './abort-connection.ts';
import type { MemoryCgroups } from './cgroups.ts';
import { readConfirmedTable, readMountTable } from './mount-table.ts';
import { withoutEngineMounts } from './mount-watch.ts';
import { findProcesses, type NodeProcess } from './processes.ts';

/** Process 1 of a running container. */
export interface NodeContainer {
  readonly pid: number;
  readonly exited: Promise<unknown>;
}

/** What the sandbox's node and a node of a cluster provide differently. */
export interface NodeParts {
  readonly linux: Linux;
  /** Undefined if no memory cgroup can be created here. */
  readonly memory: MemoryCgroups | undefined;
  /** The environment of the programs that are started. */
  readonly environment: Readonly<Record<string, string>>;
  /** The probe's command, to which its flags are appended. */
  readonly probe: readonly string[];
  /** A process in the mount namespace of the node. */
  readonly init: number | 'self';
  /** Mount tables are read once more by findmnt. */
  readonly confirmsMounts: boolean;
  readonly store: {
    readonly endpoint: string;
    putObject(key: string, body: Uint8Array): Promise<void>;
  };
  /** An address of this process that containers reach. */
  readonly address: string;
}

export interface NodeListeners {
  readonly onEvent: (event: HistoryEvent) => void;
  /** Receives events that are serialised already: lines of NDJSON. */
  readonly onSerialisedEvents: (lines: readonly string[]) => void;
}

/**
 * The program on a node that does what the harness asks for. The sandbox's supervisor and a pod on each node of a cluster run
 * it. A verb is implemented here, once, and declared in `NodeVerbs`; both clusters derive theirs from that.
 */
export abstract class NodeProgram implements NodeVerbs {
  protected readonly listeners: NodeListeners;
  readonly #whenReady = new Map<string, () => void>();

  constructor(listeners: NodeListeners) {
    this.listeners = listeners;
  }

  protected abstract get parts(): NodeParts;

  /** @throws if it is not running */
  protected abstract container(target: ContainerRef): NodeContainer;

  /** Starts one of the harness's programs in a container's mount namespace, or in the node's. */
  protected abstract startProgram(run: ProgramRun): Program;

  abstract holdRestarts(target: ContainerRef): Promise<AsyncDisposable>;

  /** Reports the output of a program as events. Disposing of the result kills the program. */
  protected report(program: Program, name: string): RunningProgram {
    for (const stream of ['stdout', 'stderr'] as const)
      onLines(program[stream], (text) =>
        this.listeners.onEvent({ kind: 'output', at: monotonicNow(), program: name, stream, text }),
      );
    const exited = exitOf(program);
    return { name, exited, [Symbol.asyncDispose]: async () => void program.kill('SIGKILL') };
  }

  /** Resolves the calls that wait for a daemon. `container`: `<namespace>/<pod>/<container>`. */
  protected daemonReady(container: string): void {
    this.#whenReady.get(container)?.();
    this.#whenReady.delete(container);
  }

  async putObject(key: string, body: Uint8Array): Promise<void> {
    await this.parts.store.putObject(key, body);
  }

  async askStore(path: string, headers: Readonly<Record<string, string>>): Promise<number> {
    const response = await fetch(`${this.parts.store.endpoint}${path}`, { headers });
    await response.body?.cancel();
    return response.status;
  }

  async runProgram(run: ProgramRun): Promise<RunningProgram> {
    return this.report(this.startProgram(run), run.name);
  }

  async probe({ target, path, rate, files }: ProbeOptions): Promise<AsyncDisposable> {
    const { environment, probe } = this.parts;
    const name = `${target.namespace}/${target.pod}/${target.container}:${path}`;
    const { pid } = this.container(target);
    // The probe reads as the container's user.
    const { uid = 0, gid = 0 } = credentialsOf('/proc', pid) ?? {};
    const identity = uid === 0 ? {} : { uid, gid };
    const flags = { pid, path, rate, name, files: JSON.stringify(files), ...identity };
    const [file = '', ...args] = probe;
    const argv = [...args, ...Object.entries(flags).map(([key, value]) => `--${key}=${value}`)];
    const child = execa(file, argv, { ...streamed, env: environment, stdin: 'pipe' });
    const ready = Promise.withResolvers<void>();
    const split = lineSplitter();
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = split(chunk);
      if (lines.some((line) => line.includes('"event":"ready"'))) ready.resolve();
      const events = lines.filter((line) => line.includes('"kind"'));
      if (events.length > 0) this.listeners.onSerialisedEvents(events);
    });
    let lastError = '';
    onLines(child.stderr, (text) => (lastError = text));
    const ended = exitOf(child).then(({ exitCode }) =>
      ready.reject(new Error(`the probe of ${name} ended with status ${exitCode}: ${lastError}`)),
    );
    await ready.promise;
    return {
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGTERM');
        await ended; // Its last lines count.
      },
    };
  }

  async kill(target: ProcessRef, signal: NodeJS.Signals): Promise<number> {
    const pid = target.command === undefined ? this.container(target).pid : onlyProcess(target.command);
    // Taken first, because consequences of the kill may be observed before this process runs again.
    const at = monotonicNow();
    process.kill(pid, signal);
    return at;
  }

  async processes({ command = '' }: ProcessRef): Promise<readonly NodeProcess[]> {
    return findProcesses(command);
  }

  async abortConnection(daemon: ContainerRef): Promise<number> {
    return abortConnection(this.parts.linux, this.container(daemon).pid);
  }

  async killWhenReady(daemon: ContainerRef, delayMs: number): Promise<number> {
    const { namespace, pod, container } = daemon;
    await new Promise<void>((resolve) => this.#whenReady.set(`${namespace}/${pod}/${container}`, resolve));
    if (delayMs > 0) await delay(delayMs);
    return this.kill(daemon, 'SIGKILL');
  }

  async outOfMemory(target: ContainerRef): Promise<number> {
    const { memory } = this.parts;
    if (!memory) throw new Error('no memory cgroup can be created here');
    const { pid, exited } = this.container(target);
    return memory.outOfMemory(pid, exited);
  }

  async mountTable(target?: ContainerRef): Promise<readonly string[]> {
    const { init, confirmsMounts, environment } = this.parts;
    const pid = target ? this.container(target).pid : init;
    const lines = confirmsMounts ? await readConfirmedTable(pid, environment.PATH ?? '') : readMountTable(pid);
    return target ? lines : withoutEngineMounts(lines);
  }

  async openFaultyStore(): Promise<FaultyStore> {
    const { store, address } = this.parts;
    const proxy = await startFaultyProxy(store.endpoint, address);
    return {
      endpoint: proxy.endpoint,
      async trouble(trouble) {
        const inForce = proxy.inject(trouble);
        return { [Symbol.asyncDispose]: async () => inForce[Symbol.dispose]() };
      },
      [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
    };
  }
}

/** @throws if none or several match */
function onlyProcess(command: string): number {
  const [first, ...others] = findProcesses(command);
  if (first === undefined) throw new Error(`no process of the node matches ${command}`);
  if (others.length === 0) return first.pid;
  throw new Error(
    `${others.length + 1} processes of the node match ${command}: ${[first, ...others].map(({ command: text }) => text).join('; ')}`,
  );
}
