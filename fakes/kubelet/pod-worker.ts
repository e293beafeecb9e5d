import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Container, V1LifecycleHandler, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import type { Exit } from '../program.ts';
import {
  containerEnvironment,
  type Images,
  privilegesOf,
  type RuntimeOptions,
  runHook,
  type StartedContainer,
  startContainer,
} from './container.ts';
import { containerName, isSidecar, PodStates } from './pod-states.ts';
import { PodVolumes } from './pod-volumes.ts';
import { type Backoff, type Holds, nextRestart } from './restarts.ts';
import { namespaceOf, type VolumeContext } from './volumes.ts';

/** An event of a pod on the node, reported when it happens. */
export type KubeletEvent =
  | {
      readonly event: 'restart-scheduled';
      readonly container: string;
      readonly delayMs: number;
      readonly restartCount: number;
    }
  | { readonly event: 'started'; readonly container: string; readonly pid: number; readonly restartCount: number }
  | { readonly event: 'exited'; readonly container: string; readonly pid: number; readonly exit: Exit }
  | { readonly event: 'publish'; readonly pod: string; readonly detail: string }
  | { readonly event: 'unpublish'; readonly pod: string; readonly detail: string }
  | { readonly event: 'pod-started' | 'pod-removed'; readonly pod: string };

export interface WorkerOptions extends Omit<VolumeContext, 'pod' | 'uid' | 'stopped'> {
  readonly runtime: RuntimeOptions;
  readonly images: Images;
  /** Added to the environment of every container. */
  readonly environment: Readonly<Record<string, string>>;
  readonly report: (event: KubeletEvent) => void;
  /** Receives a container's output in chunks. */
  readonly log: (container: string, stream: 'stdout' | 'stderr', chunk: string) => void;
  readonly updateStatus: (pod: V1Pod, status: V1PodStatus) => Promise<void>;
  /** Creates a Kubernetes event of type Warning for a pod. */
  readonly warn: (pod: V1Pod, warning: { readonly reason: string; readonly message: string }) => void;
  readonly holds: Holds;
  /** No SIGTERM reaches the containers of applications, as if they ignored it. */
  readonly isTerminationSlow?: true;
}

/** Grace period of a pod that names none. */
export const defaultGraceSeconds = 30;
/** The minimum grace period in real milliseconds. */
const minGraceMs = 2_000;
const publishRetryMs = 100;
/** Delay before the next attempt to create a container (`pkg/kubelet`, backOffPeriod). */
const recreateDelayMs = 10_000;

/** Runs one pod: sets up volumes, runs init containers, restarts containers, and tears everything down. */
export class PodWorker {
  readonly uid: string;
  readonly #pod: V1Pod;
  readonly #options: WorkerOptions;
  readonly #stop = new AbortController();
  readonly #states: PodStates;
  readonly #volumes: PodVolumes;
  readonly #running = new Map<string, StartedContainer>();
  /** By name of the container. */
  readonly #backoffs = new Map<string, Backoff>();
  /** Ends the waits in progress. */
  #forgetBackoffs = new AbortController();
  readonly #life: Promise<void>;

  /** `restarts`: restart counts from an earlier worker of the pod. */
  constructor(pod: V1Pod, options: WorkerOptions, restarts: ReadonlyMap<string, number> = new Map()) {
    this.uid = pod.metadata?.uid ?? '';
    this.#pod = pod;
    this.#options = options;
    this.#states = new PodStates({ pod, restarts, updateStatus: options.updateStatus });
    this.#volumes = new PodVolumes({ ...options, pod, uid: this.uid, stopped: this.#stop.signal });
    this.#life = this.#live();
  }

  container(name: string): StartedContainer | undefined {
    return this.#running.get(name);
  }

  /** Kills everything like a power loss and releases nothing. Resolves with the restart counts for the next worker. */
  async powerOff(): Promise<ReadonlyMap<string, number>> {
    this.#stop.abort();
    const all = [...this.#running.values()];
    for (const { pid } of all) signalQuietly(pid, 'SIGKILL');
    await Promise.all(all.map(({ exited }) => exited));
    await this.#life;
    await this.#states.reported();
    return this.#states.afterPowerOff();
  }

  /** What the kubelet does for a pod after its own restart: it publishes the volumes again and has forgotten all back-offs. */
  kubeletRestarted(): void {
    this.#backoffs.clear();
    this.#forgetBackoffs.abort();
    this.#forgetBackoffs = new AbortController();
    void this.#volumes.publishAgain((operation, work) => this.#retry(operation, work, true)).catch(() => {}); // The pod has ended.
  }

  /** Ends the containers with SIGTERM, after the grace period with SIGKILL, and releases the volumes. */
  async terminate(graceMs: number): Promise<void> {
    this.#stop.abort();
    await this.#endAll(graceMs);
    await this.#life;
    await this.#states.reported();
    await this.#volumes.release(this.#states.names, (operation, work) => this.#retry(operation, work, false));
    this.#options.report({ event: 'pod-removed', pod: this.#name });
  }

  get #name(): string {
    return `${namespaceOf(this.#pod)}/${this.#pod.metadata?.name ?? ''}`;
  }

  async #live(): Promise<void> {
    try {
      // Reports Pending and ContainerCreating while the volumes are set up.
      this.#states.report();
      await this.#setUp();
      const { initContainers = [], containers = [] } = this.#pod.spec ?? {};
      const sidecars: Promise<void>[] = [];
      for (const container of initContainers) {
        if (!isSidecar(container)) await this.#runToCompletion(container);
        else {
          const started = Promise.withResolvers<void>();
          const life = this.#keepRunning(container, Promise.resolve(), started.resolve);
          sidecars.push(life.catch((error) => this.#unlessStopped(error)).finally(started.resolve));
          await started.promise;
        }
      }
      this.#stop.signal.throwIfAborted();
      this.#options.report({ event: 'pod-started', pod: this.#name });
      // Containers start in the order of the spec, and each waits for the postStart hooks before it.
      let turn = Promise.resolve();
      const lives = containers.map((container) => {
        const started = Promise.withResolvers<void>();
        const life = this.#keepRunning(container, turn, started.resolve).finally(started.resolve);
        turn = started.promise;
        return life;
      });
      await Promise.all(lives);
      if (sidecars.length === 0) return;
      // The pod has ended by itself: its sidecars end with it.
      this.#stop.abort();
      await this.#endAll((this.#pod.spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds) * 1000);
      await Promise.all(sidecars);
    } catch (error) {
      this.#unlessStopped(error);
    }
  }

  /** Rethrows an error that does not come from the end of the pod. */
  #unlessStopped(error: unknown): void {
    if (!this.#stop.signal.aborted) throw error;
  }

  async #setUp(): Promise<void> {
    this.#volumes.makeDirectory();
    await this.#volumes.setUp(
      (operation, work) => this.#retry(operation, work, true),
      (detail) => this.#options.report({ event: 'publish', pod: this.#name, detail }),
    );
  }

  /** Repeats an operation with increasing delay until it succeeds or, if `stoppable`, the pod is ended. */
  async #retry<T>(operation: string, work: () => Promise<T>, stoppable: boolean): Promise<T | undefined> {
    let lastWarning = '';
    for (let waitMs = publishRetryMs; ; waitMs = Math.min(waitMs * 2, 2_000)) {
      if (stoppable) this.#stop.signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.#options.log(`${this.#name}`, 'stderr', `${operation}: ${message}\n`);
        if (stoppable && message !== lastWarning)
          this.#options.warn(this.#pod, { reason: 'FailedMount', message: `${operation} failed: ${message}` });
        lastWarning = message;
        await delay(waitMs, undefined, stoppable ? { signal: this.#stop.signal } : {});
      }
    }
  }

  async #runToCompletion(container: V1Container): Promise<void> {
    const { name } = container;
    for (let restartCount = this.#states.restartCount(name); ; restartCount++) {
      this.#stop.signal.throwIfAborted();
      await this.#waitUntilStartable(container);
      this.#stop.signal.throwIfAborted();
      const { exitCode } = await this.#runOnce(container, restartCount, async () => {});
      if (exitCode === 0) return;
      await this.#backOff(name, restartCount + 1);
    }
  }

  async #keepRunning(container: V1Container, turn: Promise<void>, started: () => void): Promise<void> {
    const { name, lifecycle } = container;
    await turn;
    if (!lifecycle?.postStart && !isSidecar(container)) started();
    for (let restartCount = this.#states.restartCount(name); ; restartCount++) {
      await this.#waitUntilStartable(container);
      if (this.#stop.signal.aborted) return;
      const { exitCode } = await this.#runOnce(container, restartCount, async ({ pid, exited }) => {
        const { postStart } = lifecycle ?? {};
        if (postStart && !(await this.#hook(name, postStart, exited))) signalQuietly(pid, 'SIGKILL');
        started();
      });
      const policy = isSidecar(container) ? 'Always' : (this.#pod.spec?.restartPolicy ?? 'Always');
      if (policy === 'Never' || (policy === 'OnFailure' && exitCode === 0)) return;
      if (this.#stop.signal.aborted) return;
      await this.#backOff(name, restartCount + 1);
    }
  }

  /** Runs a container from its start to its end. It is reported as running after `makeReady`. */
  async #runOnce(
    container: V1Container,
    restartCount: number,
    makeReady: (started: StartedContainer) => Promise<void>,
  ): Promise<Exit> {
    const { name } = container;
    const id = randomBytes(16).toString('hex');
    const started = this.#start(container, restartCount);
    await makeReady(started);
    this.#states.set(name, { id, restartCount, state: { kind: 'running', startedAt: new Date() } });
    const exit = await started.exited;
    this.#running.delete(name);
    const exitCode = exit.exitCode ?? 128 + (exit.signal ? 9 : 0);
    this.#states.set(name, { state: { kind: 'terminated', exitCode, finishedAt: new Date() } });
    return exit;
  }

  async #backOff(container: string, restartCount: number): Promise<void> {
    const { clockScale, report } = this.#options;
    const { delayMs, next } = nextRestart(this.#backoffs.get(container), performance.now() * clockScale);
    this.#backoffs.set(container, next);
    report({ event: 'restart-scheduled', container: containerName(this.#pod, container), delayMs, restartCount });
    if (delayMs > 0) {
      const message = `back-off ${delayMs / 1000}s restarting failed container=${container}`;
      this.#states.set(container, { state: { kind: 'waiting', reason: 'CrashLoopBackOff', message } });
      const signal = AbortSignal.any([this.#stop.signal, this.#forgetBackoffs.signal]);
      await delay(delayMs / clockScale, undefined, { signal }).catch(() => this.#stop.signal.throwIfAborted());
    }
  }

  async #hook(name: string, handler: V1LifecycleHandler, ended: Promise<unknown>): Promise<boolean> {
    const container = this.#running.get(name);
    if (!container) return true;
    const { environment, log } = this.#options;
    const logHook = (chunk: string) => log(`${this.#name}/${name}`, 'stderr', chunk);
    return runHook({ container, handler, environment, log: logHook, ended });
  }

  /** Ends all containers, after the grace period with SIGKILL: native sidecars once the others have ended, in reverse order (KEP-753). */
  async #endAll(graceMs: number): Promise<void> {
    const all = [...this.#running.values()];
    const { initContainers = [], containers = [] } = this.#pod.spec ?? {};
    const sidecars = initContainers.filter(isSidecar);
    const others = [...initContainers.filter((container) => !isSidecar(container)), ...containers];
    let turn: Promise<unknown> = Promise.all(others.map(({ name }) => this.#running.get(name)?.exited));
    for (const container of others) void this.#end(container, graceMs, Promise.resolve());
    for (const container of sidecars.toReversed()) {
      const exited = this.#running.get(container.name)?.exited;
      void this.#end(container, graceMs, turn);
      turn = turn.then(() => exited);
    }
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
  }

  /** Runs the preStop hook at once, even if it is not the container's turn, and then sends SIGTERM, both within the grace period. */
  async #end({ name, lifecycle }: V1Container, graceMs: number, turn: Promise<unknown>): Promise<void> {
    const running = this.#running.get(name);
    const { preStop } = lifecycle ?? {};
    if (!running) return;
    if (preStop && graceMs > 0) {
      const timeout = delay(this.#grace(graceMs), undefined, { ref: false });
      await this.#hook(name, preStop, Promise.race([running.exited, timeout]));
    }
    await turn;
    if (!(this.#options.isTerminationSlow && isApplication(this.#pod))) signalQuietly(running.pid, 'SIGTERM');
  }

  /** Ends a pod at once whose grace period has not passed. */
  kill(): void {
    for (const { pid } of this.#running.values()) signalQuietly(pid, 'SIGKILL');
  }

  /** The grace period in real milliseconds. A fast clock shortens it, but not below the time that a process needs to end. */
  #grace(graceMs: number): number {
    return Math.min(graceMs, Math.max(graceMs / this.#options.clockScale, minGraceMs));
  }

  /** Resolves when no hold prevents a start and all volumes can be mounted. */
  async #waitUntilStartable(container: V1Container): Promise<void> {
    const { name } = container;
    const { clockScale, holds } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      await holds.released(containerName(this.#pod, name), signal);
      const state = await this.#volumes.prepare(container);
      if (state === undefined || signal.aborted) return;
      this.#options.log(`${this.#name}/${name}`, 'stderr', `${state.reason}: ${state.message}\n`);
      this.#states.set(name, { state: { kind: 'waiting', ...state } });
      await delay(recreateDelayMs / clockScale, undefined, { signal });
    }
  }

  #start(container: V1Container, restartCount: number): StartedContainer {
    const { environment, images, paths, report, log, runtime } = this.#options;
    const address = containerName(this.#pod, container.name);
    const terminationLog = paths.terminationLog(this.uid, container.name, randomBytes(4).toString('hex'));
    const terminationPath = container.terminationMessagePath ?? '/dev/termination-log';
    mkdirSync(dirname(terminationLog), { recursive: true });
    writeFileSync(terminationLog, '');
    const command = container.command ?? images.entrypoint(container.image ?? '');
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
        { source: terminationLog, target: terminationPath, readOnly: false, propagation: 'None' },
      ],
      files: new Set(['/etc/hosts', terminationPath, '/dev/fuse']),
      privileges: privilegesOf(this.#pod, container),
    });
    this.#running.set(container.name, started);
    started.program.stdout.setEncoding('utf8').on('data', (chunk: string) => log(address, 'stdout', chunk));
    started.program.stderr.setEncoding('utf8').on('data', (chunk: string) => log(address, 'stderr', chunk));
    report({ event: 'started', container: address, pid: started.pid, restartCount });
    void started.exited.then((exit) => report({ event: 'exited', container: address, pid: started.pid, exit }));
    return started;
  }
}

const isApplication = ({ spec }: V1Pod) => spec?.volumes?.some((volume) => volume.persistentVolumeClaim !== undefined);

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has already ended.
  }
}
