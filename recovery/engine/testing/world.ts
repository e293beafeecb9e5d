import { followLinks, type ModelledProcess } from '../../linux/model/modelled-process.ts';
import { Engine, type EngineOptions } from '../engine.ts';
import {
  type Decision,
  type DeviceId,
  driverName,
  type KernelTier,
  type Mount,
  type Nanoseconds,
  type Pod,
  type Policy,
  type Volume,
  type VolumeMount,
  type VolumeRecord,
} from '../model.ts';
import { MountTree, normalizePath, targetPath } from '../mount-sites.ts';
import type { KubernetesPort, VolumeLocks } from '../ports.ts';
import { createVolumeLocks } from '../volume-state.ts';
import { createModelledClock, type ModelledClock } from './modelled-clock.ts';
import { createModelledKernel, kubeletRoot, type ModelledContainer, type ModelledKernel } from './modelled-kernel.ts';

export { kubeletRoot };

export const openPolicy: Policy = {
  enabled: true,
  readWriteScope: 'volume',
  subPath: 'refuse',
  pods: 'label',
  unsupportedRuntimes: ['kata'],
};

export function volumeNamed(name: string, facts: Partial<Volume> = {}): Volume {
  return {
    name,
    handle: name,
    dataset: { namespace: 'default', name },
    sources: [sourcePath(name)],
    subdirectory: '',
    accessModes: ['ReadOnlyMany'],
    ...facts,
  };
}

/** What the kubelet records before it publishes a PersistentVolume of this driver. */
export const recordOf = (volume: string, volumeHandle = volume): VolumeRecord => ({
  driverName,
  volumeHandle,
  specVolID: volume,
});

export const sourcePath = (name: string) => `/runtime-mnt/jindo/default/${name}/jindofs-fuse`;

/** A labelled pod with one container `app` that has the given mounts. */
export function podNamed(uid: string, mounts: readonly Partial<VolumeMount>[], facts: Partial<Pod> = {}): Pod {
  const full = mounts.map((mount) => ({ volume: 'demo', mountPath: '/data', readOnly: false, ...mount }));
  return {
    uid,
    namespace: 'default',
    name: uid,
    labels: { 'fuse.serverful.fluid.io/inject': 'true' },
    annotations: {},
    deleting: false,
    volumes: [...new Set(full.map(({ volume }) => volume))],
    containers: [{ name: 'app', mounts: full }],
    ...facts,
  };
}

export interface ContainerOptions extends Pick<ModelledProcess, 'links'> {
  /** Whether containers receive the mounts that appear at target paths (HostToContainer). */
  readonly propagation?: 'slave' | 'private';
  /** Where the termination log is mounted, if not where the spec requests it. */
  readonly terminationLog?: string;
}

/** A node with volumes, pods, a modelled kernel and clock, and an engine that can be stopped and recreated. */
export interface World extends AsyncDisposable {
  readonly kernel: ModelledKernel;
  readonly clock: ModelledClock;
  readonly locks: VolumeLocks;
  readonly decisions: Decision[];
  readonly volumes: Volume[];
  readonly pods: Pod[];
  policy: Policy;
  readonly engine: Engine;
  /** Starts a daemon of the volume, which mounts a new connection at its source. */
  serve(volume: string, state?: 'live' | 'starting'): DeviceId;
  /** The device of the source mount. */
  sourceOf(volume: string): DeviceId | undefined;
  /** Publishes the volumes of a pod and starts its containers with the mounts of the target paths. */
  run(pod: Pod, options?: ContainerOptions): ModelledContainer[];
  target(pod: string, volume?: string): string;
  top(table: readonly Mount[], path: string): Mount | undefined;
  /** Paths of the sites of running pods whose top mount does not answer. */
  broken(): readonly string[];
  /** Stops the engine at once and creates another one without any memory. */
  replaceEngine(options?: Partial<EngineOptions>): void;
  kubernetesChanged(): void;
  /** The decisions of one kind. */
  decisionsOf<E extends Decision['event']>(event: E): Extract<Decision, { event: E }>[];
}

export function createWorld(options: Partial<EngineOptions> = {}, tier: KernelTier = '6.5'): World {
  const clock = createModelledClock();
  const kernel = createModelledKernel(clock, tier);
  const decisions: Decision[] = [];
  const volumes: Volume[] = [];
  const pods: Pod[] = [];
  const watchers = new Set<() => void>();
  const locks = createVolumeLocks();
  let seen: ReturnType<KubernetesPort['view']> = { volumes: [], pods: [] };
  const isSame = (before: readonly object[], now: readonly object[]) =>
    before.length === now.length && now.every((each, at) => each === before[at]);
  const kubernetes: KubernetesPort = {
    view() {
      if (!isSame(seen.volumes, volumes) || !isSame(seen.pods, pods)) seen = { volumes: [...volumes], pods: [...pods] };
      return seen;
    },
    watch(changed) {
      watchers.add(changed);
      return { [Symbol.dispose]: () => void watchers.delete(changed) };
    },
  };
  let nextPid = 1000;
  const top = (table: readonly Mount[], path: string) => new MountTree(table).top(path);
  const target = (pod: string, volume = 'demo') => targetPath(kubeletRoot, pod, volume);

  const engineWith = (more: Partial<EngineOptions>) =>
    new Engine({
      kernel,
      kubernetes,
      clock,
      locks,
      recorder: (decision) => void decisions.push(decision),
      policy: () => world.policy,
      proofDelay: 0n as Nanoseconds,
      ...options,
      ...more,
    });

  const world = {
    kernel,
    clock,
    locks,
    decisions,
    volumes,
    pods,
    policy: openPolicy,
    engine: undefined as unknown as Engine,
    serve(volume: string, state: 'live' | 'starting' = 'live') {
      return kernel.mountFuse(kernel.host, pathOf(volume), state);
    },
    sourceOf: (volume: string) => top(kernel.host, pathOf(volume))?.device,
    run(pod: Pod, options: ContainerOptions = {}) {
      pods.push(pod);
      for (const volume of pod.volumes) publish(pod.uid, volume);
      return pod.containers.map(({ name }) => start(pod, name, options));
    },
    target,
    top,
    broken: () =>
      [...pods.flatMap((pod) => pod.volumes.map((volume) => ({ table: kernel.host, path: target(pod.uid, volume) })))]
        .concat(containerSites())
        .filter(({ table, path }) => {
          const seen = top(table, path);
          return seen === undefined || kernel.stateOf(seen.device) !== 'live';
        })
        .map(({ path }) => path),
    replaceEngine(more: Partial<EngineOptions> = {}) {
      void world.engine[Symbol.asyncDispose]();
      world.engine = engineWith(more);
    },
    kubernetesChanged() {
      for (const watcher of watchers) watcher();
    },
    decisionsOf: <E extends Decision['event']>(event: E) =>
      decisions.filter((each): each is Extract<Decision, { event: E }> => each.event === event),
    [Symbol.asyncDispose]: () => world.engine[Symbol.asyncDispose](),
  };
  world.engine = engineWith({});
  return world;

  function pathOf(volume: string): string {
    return volumes.find(({ name }) => name === volume)?.sources[0] ?? sourcePath(volume);
  }

  function publish(podUid: string, volume: string): void {
    const source = top(kernel.host, pathOf(volume));
    if (source === undefined) throw new Error(`${volume} has no daemon`);
    const facts = volumes.find(({ name }) => name === volume);
    kernel.records.set(target(podUid, volume), recordOf(volume, facts?.handle ?? volume));
    const readOnly = facts?.accessModes.every((mode) => mode === 'ReadOnlyMany') ?? true;
    const root = `/${facts?.subdirectory ?? ''}`;
    const options = [readOnly ? 'ro' : 'rw', 'relatime'];
    kernel.bind(kernel.host, target(podUid, volume), { device: source.device, options, root });
  }

  function start(pod: Pod, name: string, options: ContainerOptions): ModelledContainer {
    const { links = {}, propagation = 'private' } = options;
    const { mounts = [], terminationMessagePath = '/dev/termination-log' } =
      pod.containers.find((each) => each.name === name) ?? {};
    const log = `${kubeletRoot}/pods/${pod.uid}/containers/${name}/0`;
    const volumeMounts = mounts.map(({ volume, mountPath, subPath, readOnly }, index) => ({
      from: subPath === undefined ? target(pod.uid, volume) : bindSubPath(pod.uid, { volume, subPath, name, index }),
      path: followLinks(normalizePath(mountPath), links),
      ...{ readOnly, propagation },
    }));
    const terminationLog = { from: log, path: options.terminationLog ?? followLinks(terminationMessagePath, links) };
    const container = kernel.start({ podUid: pod.uid, name, pid: nextPid, links }, [terminationLog, ...volumeMounts]);
    nextPid += 1;
    kernel.processes.push(container);
    return container;
  }

  /** What the kubelet does before it starts a container that mounts a directory of a volume. */
  function bindSubPath(
    podUid: string,
    { volume, subPath, name, index }: Record<'volume' | 'subPath' | 'name', string> & { readonly index: number },
  ): string {
    const path = `${kubeletRoot}/pods/${podUid}/volume-subpaths/${volume}/${name}/${index}`;
    const published = top(kernel.host, target(podUid, volume));
    if (published === undefined) throw new Error(`${volume} is not published`);
    const { device, options } = published;
    kernel.bind(kernel.host, path, { device, options, root: normalizePath(`${published.root}/${subPath}`) });
    return path;
  }

  function containerSites() {
    return kernel.processes.flatMap(({ mounts, podUid, name }) => {
      const declared =
        pods.find(({ uid }) => uid === podUid)?.containers.find((each) => each.name === name)?.mounts ?? [];
      return declared.map(({ mountPath }) => ({ table: mounts, path: normalizePath(mountPath) }));
    });
  }
}
