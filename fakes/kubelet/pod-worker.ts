import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Container, V1LifecycleHandler, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { type Backoff, nextRestart } from './backoff.ts';
import { type Exit, type RuntimeOptions, type StartedContainer, startContainer } from './container.ts';
import { containerEnvironment } from './container-environment.ts';
import type { KubeletEvent } from './events.ts';
import type { Holds } from './holds.ts';
import { runHook } from './hook.ts';
import type { Images } from './images.ts';
import { PodStates } from './pod-states.ts';
import { PodVolumes } from './pod-volumes.ts';
import { containerName } from './status.ts';
import { namespaceOf, type VolumeContext } from './volumes.ts';

export interface WorkerOptions extends Omit<VolumeContext, 'pod' | 'uid'> {
  readonly runtime: RuntimeOptions;
  readonly images: Images;
  /** Added to the environment of every container. */
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds of this clock in one real second. */
  readonly clockScale: number;
  readonly report: (event: KubeletEvent) => void;
  /** Takes a container's output, line by line or as it comes. */
  readonly log: (container: string, stream: 'stdout' | 'stderr', chunk: string) => void;
  readonly updateStatus: (pod: V1Pod, status: V1PodStatus) => Promise<void>;
  /** Tells of a pod as a Kubernetes event of the type Warning. */
  readonly warn: (pod: V1Pod, warning: { readonly reason: string; readonly message: string }) => void;
  /** Containers that are not to be started for now. */
  readonly holds: Holds;
}

/** Real milliseconds, whatever the clock's scale. */
const leastGraceMs = 2_000;
const publishRetryMs = 100;
/** How soon a pod is synced again after its container could not be created (`pkg/kubelet`, backOffPeriod). */
const createAgainMs = 10_000;

/** One pod's life on the node: volumes, init containers, containers with the kubelet's restarts, and the way back. */
export class PodWorker {
  readonly uid: string;
  readonly #pod: V1Pod;
  readonly #options: WorkerOptions;
  readonly #stop = new AbortController();
  readonly #states: PodStates;
  readonly #volumes: PodVolumes;
  readonly #running = new Map<string, StartedContainer>();
  readonly #life: Promise<void>;

  /** `restarts`: how often each container was started before, in a worker that is gone. */
  constructor(pod: V1Pod, options: WorkerOptions, restarts: ReadonlyMap<string, number> = new Map()) {
    this.uid = pod.metadata?.uid ?? '';
    this.#pod = pod;
    this.#options = options;
    this.#states = new PodStates({ pod, restarts, updateStatus: options.updateStatus });
    this.#volumes = new PodVolumes({ ...options, pod, uid: this.uid });
    this.#life = this.#live();
  }

  container(name: string): StartedContainer | undefined {
    return this.#running.get(name);
  }

  /** Ends everything as a loss of power does: nothing is given back. How often each container is to have been started next. */
  async powerOff(): Promise<ReadonlyMap<string, number>> {
    this.#stop.abort();
    const all = [...this.#running.values()];
    for (const { pid } of all) signalQuietly(pid, 'SIGKILL');
    await Promise.all(all.map(({ exited }) => exited));
    await this.#life;
    await this.#states.told();
    return this.#states.afterPowerOff();
  }

  /** Ends the containers (SIGTERM, then SIGKILL after the grace period) and gives the volumes back. */
  async terminate(graceMs: number): Promise<void> {
    this.#stop.abort();
    const all = [...this.#running.values()];
    for (const name of this.#running.keys()) void this.#end(name, graceMs);
    const killed = new AbortController();
    const reaper = delay(this.#grace(graceMs), undefined, { signal: killed.signal }).then(
      () => {
        for (const { pid } of all) signalQuietly(pid, 'SIGKILL');
      },
      () => {},
    );
    await Promise.all(all.map(({ exited }) => exited));
    killed.abort();
    await reaper;
    await this.#life;
    await this.#states.told();
    await this.#volumes.release(this.#states.names, (what, work) => this.#retry(what, work, false));
    this.#options.report({ event: 'pod-removed', pod: this.#name });
  }

  get #name(): string {
    return `${namespaceOf(this.#pod)}/${this.#pod.metadata?.name ?? ''}`;
  }

  async #live(): Promise<void> {
    try {
      // Pending, ContainerCreating: what is seen of a pod whose volumes are not there yet.
      this.#states.tell();
      await this.#setUp();
      const { initContainers = [], containers = [] } = this.#pod.spec ?? {};
      for (const container of initContainers) await this.#runToCompletion(container);
      this.#options.report({ event: 'pod-started', pod: this.#name });
      // In the order of the spec; a postStart hook keeps the containers behind it waiting.
      let turn = Promise.resolve();
      const lives = containers.map((container) => {
        const started = Promise.withResolvers<void>();
        const life = this.#keepRunning(container, turn, started.resolve).finally(started.resolve);
        turn = started.promise;
        return life;
      });
      await Promise.all(lives);
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  async #setUp(): Promise<void> {
    this.#volumes.makeDirectory();
    await this.#volumes.setUp(
      (what, work) => this.#retry(what, work, true),
      (detail) => this.#options.report({ event: 'publish', pod: this.#name, detail }),
    );
  }

  /** The kubelet tries volumes again and again, with a growing delay; only the end of the pod stops it. */
  async #retry<T>(what: string, work: () => Promise<T>, stoppable: boolean): Promise<T | undefined> {
    let told = '';
    for (let waitMs = publishRetryMs; ; waitMs = Math.min(waitMs * 2, 2_000)) {
      if (stoppable) this.#stop.signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.#options.log(`${this.#name}`, 'stderr', `${what}: ${message}\n`);
        if (stoppable && message !== told)
          this.#options.warn(this.#pod, { reason: 'FailedMount', message: `${what} failed: ${message}` });
        told = message;
        await delay(waitMs, undefined, stoppable ? { signal: this.#stop.signal } : {});
      }
    }
  }

  async #runToCompletion(container: V1Container): Promise<void> {
    const { name } = container;
    let backoff: Backoff | undefined;
    for (let restartCount = this.#states.restartCount(name); ; restartCount++) {
      this.#stop.signal.throwIfAborted();
      await this.#startable(container);
      this.#stop.signal.throwIfAborted();
      const { exitCode } = await this.#runOnce(container, restartCount, async () => {});
      if (exitCode === 0) return;
      backoff = await this.#backOff(name, backoff, restartCount + 1);
    }
  }

  async #keepRunning(container: V1Container, turn: Promise<void>, started: () => void): Promise<void> {
    const { name, lifecycle } = container;
    await turn;
    if (!lifecycle?.postStart) started();
    let backoff: Backoff | undefined;
    for (let restartCount = this.#states.restartCount(name); ; restartCount++) {
      await this.#startable(container);
      if (this.#stop.signal.aborted) return;
      const { exitCode } = await this.#runOnce(container, restartCount, async ({ pid, exited }) => {
        const { postStart } = lifecycle ?? {};
        if (postStart && !(await this.#hook(name, postStart, exited))) signalQuietly(pid, 'SIGKILL');
        started();
      });
      const policy = this.#pod.spec?.restartPolicy ?? 'Always';
      if (policy === 'Never' || (policy === 'OnFailure' && exitCode === 0)) return;
      if (this.#stop.signal.aborted) return;
      backoff = await this.#backOff(name, backoff, restartCount + 1);
    }
  }

  /** From a container's start to its end; it counts as running once it was made ready. */
  async #runOnce(
    container: V1Container,
    restartCount: number,
    makeReady: (started: StartedContainer) => Promise<void>,
  ): Promise<Exit> {
    const { name } = container;
    const id = randomBytes(16).toString('hex');
    const started = this.#start(container, id, restartCount);
    await makeReady(started);
    this.#states.set(name, { id, restartCount, state: { kind: 'running', startedAt: new Date() } });
    const exit = await started.exited;
    this.#running.delete(name);
    const exitCode = exit.exitCode ?? 128 + (exit.signal ? 9 : 0);
    this.#states.set(name, { state: { kind: 'terminated', exitCode, finishedAt: new Date() } });
    return exit;
  }

  async #backOff(container: string, backoff: Backoff | undefined, restartCount: number): Promise<Backoff> {
    const { clockScale, report } = this.#options;
    const { delayMs, next } = nextRestart(backoff, performance.now() * clockScale);
    report({ event: 'restart-scheduled', container: containerName(this.#pod, container), delayMs, restartCount });
    if (delayMs > 0) {
      const message = `back-off ${delayMs / 1000}s restarting failed container=${container}`;
      this.#states.set(container, { state: { kind: 'waiting', reason: 'CrashLoopBackOff', message } });
      await delay(delayMs / clockScale, undefined, { signal: this.#stop.signal });
    }
    return next;
  }

  async #hook(name: string, handler: V1LifecycleHandler, ended: Promise<unknown>): Promise<boolean> {
    const container = this.#running.get(name);
    if (!container) return true;
    const { environment, log } = this.#options;
    const say = (chunk: string) => log(`${this.#name}/${name}`, 'stderr', chunk);
    return runHook({ container, handler, environment, log: say, ended });
  }

  /** The preStop hook, and SIGTERM after it, all of it within the grace period. */
  async #end(name: string, graceMs: number): Promise<void> {
    const running = this.#running.get(name);
    const preStop = this.#pod.spec?.containers.find((container) => container.name === name)?.lifecycle?.preStop;
    if (!running) return;
    if (preStop && graceMs > 0) {
      const over = delay(this.#grace(graceMs), undefined, { ref: false });
      await this.#hook(name, preStop, Promise.race([running.exited, over]));
    }
    signalQuietly(running.pid, 'SIGTERM');
  }

  /** A faster clock makes the grace period shorter, but what is told to end gets the time to do so. */
  #grace(graceMs: number): number {
    return Math.min(graceMs, Math.max(graceMs / this.#options.clockScale, leastGraceMs));
  }

  /** Resolves when nothing is in the way of a start any more: a hold, or a volume that the runtime refuses to mount. */
  async #startable(container: V1Container): Promise<void> {
    const { name } = container;
    const { clockScale, holds } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      await holds.released(containerName(this.#pod, name), signal);
      const state = await this.#volumes.prepare(container);
      if (state === undefined || signal.aborted) return;
      this.#options.log(`${this.#name}/${name}`, 'stderr', `${state.reason}: ${state.message}\n`);
      this.#states.set(name, { state: { kind: 'waiting', ...state } });
      await delay(createAgainMs / clockScale, undefined, { signal });
    }
  }

  #start(container: V1Container, id: string, restartCount: number): StartedContainer {
    const { environment, images, paths, report, log, runtime } = this.#options;
    const address = containerName(this.#pod, container.name);
    const terminationLog = paths.terminationLog(this.uid, container.name, id);
    mkdirSync(dirname(terminationLog), { recursive: true });
    writeFileSync(terminationLog, '');
    const command = container.command ?? images.entrypoint(container.image ?? '');
    const { runAsUser, runAsGroup } = { ...this.#pod.spec?.securityContext, ...container.securityContext };
    const started = startContainer(runtime, {
      argv: [...command, ...(container.args ?? [])],
      environment: {
        ...environment,
        ...containerEnvironment(container, this.#pod),
      },
      workingDirectory: container.workingDir ?? '/',
      mounts: [
        ...this.#volumes.mountsOf(container),
        { source: paths.hosts(this.uid), target: '/etc/hosts', readOnly: false, propagation: 'None' },
        { source: terminationLog, target: '/dev/termination-log', readOnly: false, propagation: 'None' },
      ],
      files: new Set(['/etc/hosts', '/dev/termination-log', '/dev/fuse']),
      ...(runAsUser && { user: { uid: runAsUser, gid: runAsGroup ?? runAsUser } }),
    });
    this.#running.set(container.name, started);
    started.program.stdout.setEncoding('utf8').on('data', (chunk: string) => log(address, 'stdout', chunk));
    started.program.stderr.setEncoding('utf8').on('data', (chunk: string) => log(address, 'stderr', chunk));
    report({ event: 'started', container: address, pid: started.pid, restartCount });
    void started.exited.then((exit) => report({ event: 'exited', container: address, pid: started.pid, exit }));
    return started;
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
