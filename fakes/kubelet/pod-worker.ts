import { randomBytes } from 'node:crypto';
import { mkdirSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Container, V1LifecycleHandler, V1Pod, V1PodStatus, V1VolumeMount } from '@kubernetes/client-node';
import { type Backoff, nextRestart } from './backoff.ts';
import { type Exit, exitOf, type RuntimeOptions, type StartedContainer, startContainer } from './container.ts';
import { containerEnvironment, expand } from './container-environment.ts';
import type { Holds } from './holds.ts';
import type { Images } from './images.ts';
import { detachBelow } from './mounts-below.ts';
import { refusedMount } from './refused-mount.ts';
import type { ContainerMount } from './rootfs.ts';
import { type ContainerState, containerName, podStatus } from './status.ts';
import { bindSubPath } from './sub-path.ts';
import { type MountedVolume, namespaceOf, setUpVolume, type VolumeContext } from './volumes.ts';

/** What happens to pods, as it happens. */
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
  /** Containers that are not to be started for now. */
  readonly holds: Holds;
}

/** Real milliseconds, whatever the clock's scale. */
const leastGraceMs = 2_000;
const publishRetryMs = 100;
/** How soon a pod is synced again after its container could not be created (`pkg/kubelet`, backOffPeriod). */
const createAgainMs = 10_000;
/** The CRI's limit for one call, in milliseconds of the kubelet's clock. */
const volumeTimeoutMs = 120_000;

/**
 * One pod's life on the node: volumes, init containers, containers with the kubelet's restarts, and the way back. It owns
 * `<kubelet root>/pods/<uid>`, which it makes and removes.
 */
export class PodWorker {
  readonly uid: string;
  readonly #pod: V1Pod;
  readonly #options: WorkerOptions;
  readonly #stop = new AbortController();
  readonly #states = new Map<string, ContainerState>();
  readonly #running = new Map<string, StartedContainer>();
  readonly #life: Promise<void>;
  #volumes: MountedVolume[] = [];
  #statusQueue: Promise<void> = Promise.resolve();

  /** `restarts`: how often each container was started before, in a worker that is gone. */
  constructor(pod: V1Pod, options: WorkerOptions, restarts: ReadonlyMap<string, number> = new Map()) {
    this.uid = pod.metadata?.uid ?? '';
    this.#pod = pod;
    this.#options = options;
    for (const { name, image = '' } of pod.spec?.containers ?? [])
      this.#states.set(name, {
        name,
        image,
        restartCount: restarts.get(name) ?? 0,
        state: { kind: 'waiting', reason: 'ContainerCreating' },
      });
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
    await this.#statusQueue;
    return new Map([...this.#states.values()].map(({ name, restartCount, id }) => [name, restartCount + (id ? 1 : 0)]));
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
    await this.#statusQueue;
    this.#releaseSubPaths();
    for (const volume of this.#volumes) await this.#retry(`unpublish ${volume.name}`, () => volume.release(), false);
    this.#removeDirectory();
    this.#options.report({ event: 'pod-removed', pod: this.#name });
  }

  get #name(): string {
    return `${namespaceOf(this.#pod)}/${this.#pod.metadata?.name ?? ''}`;
  }

  async #live(): Promise<void> {
    try {
      // Pending, ContainerCreating: what is seen of a pod whose volumes are not there yet.
      for (const name of [...this.#states.keys()].slice(0, 1)) this.#setState(name, {});
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
    const { paths } = this.#options;
    mkdirSync(paths.volumes(this.uid), { recursive: true });
    writeFileSync(paths.hosts(this.uid), `127.0.0.1\tlocalhost\n127.0.0.1\t${this.#pod.metadata?.name ?? ''}\n`);
    const context = { ...this.#options, pod: this.#pod, uid: this.uid };
    for (const volume of this.#pod.spec?.volumes ?? []) {
      const mounted = await this.#retry(`publish ${volume.name}`, () => setUpVolume(context, volume), true);
      if (mounted) this.#volumes.push(mounted);
      if (mounted?.persistentVolume)
        this.#options.report({ event: 'publish', pod: this.#name, detail: mounted.persistentVolume });
    }
  }

  /** The kubelet tries volumes again and again, with a growing delay; only the end of the pod stops it. */
  async #retry<T>(what: string, work: () => Promise<T>, stoppable: boolean): Promise<T | undefined> {
    for (let waitMs = publishRetryMs; ; waitMs = Math.min(waitMs * 2, 2_000)) {
      if (stoppable) this.#stop.signal.throwIfAborted();
      try {
        return await work();
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        this.#options.log(`${this.#name}`, 'stderr', `${what}: ${message}\n`);
        await delay(waitMs, undefined, stoppable ? { signal: this.#stop.signal } : {});
      }
    }
  }

  async #runToCompletion(container: V1Container): Promise<void> {
    for (let backoff: Backoff | undefined; ; ) {
      this.#stop.signal.throwIfAborted();
      await this.#startable(container);
      this.#stop.signal.throwIfAborted();
      const { exited } = this.#start(container, randomBytes(16).toString('hex'), 0);
      if ((await exited).exitCode === 0) return;
      backoff = await this.#backOff(container.name, backoff, 0);
    }
  }

  async #keepRunning(container: V1Container, turn: Promise<void>, started: () => void): Promise<void> {
    const { name, lifecycle } = container;
    await turn;
    if (!lifecycle?.postStart) started();
    let backoff: Backoff | undefined;
    for (let restartCount = this.#states.get(name)?.restartCount ?? 0; ; restartCount++) {
      await this.#startable(container);
      if (this.#stop.signal.aborted) return;
      const id = randomBytes(16).toString('hex');
      const { pid, exited } = this.#start(container, id, restartCount);
      if (lifecycle?.postStart && !(await this.#hook(name, lifecycle.postStart, exited))) signalQuietly(pid, 'SIGKILL');
      started();
      this.#setState(name, { id, restartCount, state: { kind: 'running', startedAt: new Date() } });
      const { exitCode, signal } = await exited;
      this.#running.delete(name);
      const code = exitCode ?? 128 + (signal ? 9 : 0);
      this.#setState(name, { state: { kind: 'terminated', exitCode: code, finishedAt: new Date() } });
      const policy = this.#pod.spec?.restartPolicy ?? 'Always';
      if (policy === 'Never' || (policy === 'OnFailure' && exitCode === 0)) return;
      if (this.#stop.signal.aborted) return;
      backoff = await this.#backOff(name, backoff, restartCount + 1);
    }
  }

  async #backOff(container: string, backoff: Backoff | undefined, restartCount: number): Promise<Backoff> {
    const { clockScale, report } = this.#options;
    const { delayMs, next } = nextRestart(backoff, performance.now() * clockScale);
    report({ event: 'restart-scheduled', container: containerName(this.#pod, container), delayMs, restartCount });
    if (delayMs > 0) {
      const message = `back-off ${delayMs / 1000}s restarting failed container=${container}`;
      this.#setState(container, { state: { kind: 'waiting', reason: 'CrashLoopBackOff', message } });
      await delay(delayMs / clockScale, undefined, { signal: this.#stop.signal });
    }
    return next;
  }

  /** Runs a hook in a container that runs; whether it succeeded before the container ended. */
  async #hook(name: string, { exec }: V1LifecycleHandler, ended: Promise<unknown>): Promise<boolean> {
    const container = this.#running.get(name);
    if (!exec?.command || !container) return true;
    const { environment, log } = this.#options;
    try {
      const program = container.exec(exec.command, environment);
      program.stdout.resume();
      program.stderr.setEncoding('utf8').on('data', (chunk: string) => log(`${this.#name}/${name}`, 'stderr', chunk));
      const over = ended.then(() => false);
      return await Promise.race([exitOf(program).then(({ exitCode }) => exitCode === 0), over]);
    } catch {
      return false; // It has ended while it was entered.
    }
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
    const { name, volumeMounts = [] } = container;
    const { clockScale, environment, holds } = this.#options;
    const { signal } = this.#stop;
    for (;;) {
      await holds.released(containerName(this.#pod, name), signal);
      const csi = this.#volumes.filter(
        (volume) => volume.persistentVolume && volumeMounts.some((mount) => mount.name === volume.name),
      );
      const refusals = await Promise.all(csi.map(({ path }) => refusedMount({ path, environment, clockScale })));
      const message = refusals.find((refusal) => refusal !== undefined);
      const unprepared = message === undefined ? await this.#bindSubPaths(container) : undefined;
      if ((message === undefined && unprepared === undefined) || signal.aborted) return;
      const state =
        message === undefined
          ? ({ kind: 'waiting', reason: 'CreateContainerConfigError', message: unprepared ?? '' } as const)
          : ({ kind: 'waiting', reason: 'CreateContainerError', message } as const);
      this.#options.log(`${this.#name}/${name}`, 'stderr', `${state.reason}: ${state.message}\n`);
      this.#setState(name, { state });
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
        ...(container.volumeMounts ?? []).map((mount, index) => this.#mountOf(mount, container.name, index)),
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

  /** Binds the container's subPaths; why that cannot be, where it cannot. */
  async #bindSubPaths(container: V1Container): Promise<string | undefined> {
    const { clockScale, environment, paths } = this.#options;
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const volume = this.#volumes.find(({ name }) => name === mount.name);
      const of = `for volumeMount "${mount.name}" of container "${container.name}"`;
      const given = mount.subPath || mount.subPathExpr;
      if (!given || !volume) continue;
      const subPath = mount.subPath || expand(given, containerEnvironment(container, this.#pod));
      if (subPath === undefined) return `failed to expand subPath ${of}`;
      if (subPath.startsWith('/') || subPath.split('/').includes('..'))
        return `subPath "${subPath}" ${of} leaves the volume`;
      const target = paths.subPath(this.uid, volume.persistentVolume ?? volume.name, container.name, index);
      const timeoutMs = volumeTimeoutMs / clockScale;
      const refused = await bindSubPath({ volume: volume.path, subPath, target }, { environment, timeoutMs });
      if (refused !== undefined) return `failed to prepare subPath ${of}: ${refused}`;
    }
    return undefined;
  }

  #releaseSubPaths(): void {
    const { paths, runtime } = this.#options;
    const root = join(paths.pod(this.uid), 'volume-subpaths');
    detachBelow(runtime.linux, root);
    // Plain directories and files by now, of which the kubelet made each.
    rmSync(root, { recursive: true, force: true });
  }

  #mountOf(mount: V1VolumeMount, container: string, index: number): ContainerMount {
    const volume = this.#volumes.find(({ name }) => name === mount.name);
    if (!volume) throw new Error(`volume ${mount.name} is not set up`);
    return {
      source:
        mount.subPath || mount.subPathExpr
          ? this.#options.paths.subPath(this.uid, volume.persistentVolume ?? volume.name, container, index)
          : volume.path,
      target: mount.mountPath,
      readOnly: mount.readOnly ?? false,
      propagation: (mount.mountPropagation ?? 'None') as ContainerMount['propagation'],
    };
  }

  #setState(name: string, change: Partial<ContainerState>): void {
    const before = this.#states.get(name);
    if (!before) return;
    this.#states.set(name, { ...before, ...change });
    const status = podStatus([...this.#states.values()], this.#pod.spec?.restartPolicy ?? 'Always');
    this.#statusQueue = this.#statusQueue.then(() => this.#options.updateStatus(this.#pod, status)).catch(() => {});
  }

  /** Removes what this worker made, file by file: a recursive removal could meet a mount. */
  #removeDirectory(): void {
    const { paths } = this.#options;
    for (const name of this.#states.keys())
      rmSync(join(paths.pod(this.uid), 'containers', name), { recursive: true, force: true });
    unlinkSync(paths.hosts(this.uid));
    for (const volume of this.#volumes) {
      if (!volume.path.startsWith(join(paths.volumes(this.uid), 'kubernetes.io~empty-dir'))) continue;
      // What a sidecar left mounted in it: a removal would walk into it.
      detachBelow(this.#options.runtime.linux, volume.path);
      rmSync(volume.path, { recursive: true, force: true });
    }
    for (const directory of [
      'volumes/kubernetes.io~empty-dir',
      'volumes/kubernetes.io~secret',
      'volumes/kubernetes.io~csi',
      'volumes',
      'containers',
      '.',
    ])
      try {
        rmdirSync(join(paths.pod(this.uid), directory));
      } catch {
        // Not there, or something is left in it: what is left is found and named when the namespace is released.
      }
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
