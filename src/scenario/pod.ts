import type { V1Pod } from '@kubernetes/client-node';
import type { ContainerRef, ExecResult, ProgramRun, RunningProgram } from '../../clusters/cluster.ts';
import type { Consumer } from '../timeline/consumer.ts';
import { Daemon, runningDaemon } from './daemon.ts';
import { checksums, type Dataset, type Files } from './dataset.ts';
import { lastSeen } from './last-seen.ts';
import { application, applicationLabel, type VolumeBelow } from './manifests.ts';
import type { Namespace } from './namespace.ts';
import { untilPodReads } from './pod-reads.ts';
import { containerOf, formatPodState } from './pod-state.ts';
import { findProcess, podDifferences } from './profile-volume.ts';

/** Differences from the document's pod. */
export interface PodDifferences {
  readonly labelled: boolean;
  /** Value of the label instead of `true`. */
  readonly labelValue?: string;
  readonly below?: VolumeBelow;
  /** Instead of `/data`. */
  readonly mountPath?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The pod runs as this user. */
  readonly user?: number;
  /** On another node than the scenario's other pods with this property. */
  readonly apart?: true;
  /** In a user namespace of its own (`hostUsers: false`). */
  readonly ownUsers?: true;
  /** Instead of what the profile states that a pod needs. */
  readonly propagation?: 'None' | 'HostToContainer';
  /** Mounts only this directory of the volume. */
  readonly subPath?: string;
}

/** A pod with a probe, as it was when the probe started. */
interface ObservedContainer {
  readonly container: string;
  /** The mount point, to which the path of the pod's spec may lead by a symbolic link of the image. */
  readonly path: string;
  readonly dataset: Dataset;
  /** What its probe reads. */
  readonly files: Files;
  readonly node: string | undefined;
  readonly before: { readonly containerId: string; readonly restartCount: number };
}

/** An application pod that uses a dataset. */
export class ScenarioPod {
  readonly namespace: Namespace;
  readonly name: string;
  #observation: ObservedContainer | undefined;

  constructor(namespace: Namespace, name: string) {
    this.namespace = namespace;
    this.name = name;
  }

  get isObserved(): boolean {
    return this.#observation !== undefined;
  }

  /** The observed container, or `demo`. */
  get container(): ContainerRef {
    return { namespace: this.namespace.name, pod: this.name, container: this.#observation?.container ?? 'demo' };
  }

  /** The observed container and its mount path, as checks take it. */
  get consumer(): Consumer {
    return { ...this.container, path: this.#observed.path };
  }

  get dataset(): Dataset {
    return this.#observed.dataset;
  }

  get node(): string | undefined {
    return this.#observed.node;
  }

  /** State of the observed container when its probe started. */
  get before(): ObservedContainer['before'] {
    return this.#observed.before;
  }

  /** The daemon that serves the pod: the one of its dataset on its node. */
  get daemon(): Daemon {
    const { dataset, node } = this.#observed;
    const { volume } = this.namespace.scenario.session.profile;
    return new Daemon(dataset, () => (volume ? findProcess(this) : runningDaemon(dataset, node)));
  }

  get #observed(): ObservedContainer {
    if (!this.#observation) throw new Error(`pod ${this.name} has not been started in this scenario`);
    return this.#observation;
  }

  read(): Promise<V1Pod> {
    return this.namespace.core.readNamespacedPod({ name: this.name, namespace: this.namespace.name });
  }

  /** By default with the grace period of its spec. */
  async delete({ graceSeconds }: { readonly graceSeconds?: number } = {}): Promise<void> {
    const grace = graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds };
    await this.namespace.core.deleteNamespacedPod({ name: this.name, namespace: this.namespace.name, ...grace });
  }

  async label(labels: Readonly<Record<string, string>>): Promise<void> {
    await this.namespace.patchMetadata({ apiVersion: 'v1', kind: 'Pod', name: this.name }, { labels: { ...labels } });
  }

  /** Creates the document's pod without waiting for it. */
  async create(dataset: Dataset, { labelled, labelValue = 'true', ...others }: PodDifferences): Promise<void> {
    const labels = labelled ? { [applicationLabel]: labelValue } : {};
    const needs = podDifferences(dataset) ?? { labels };
    await this.namespace.createObject(application({ name: this.name, dataset: dataset.name, ...needs, ...others }));
  }

  /** Creates the document's pod and reads in it with a probe. */
  async start(dataset: Dataset, differences: PodDifferences): Promise<void> {
    await this.create(dataset, differences);
    const { mountPath } = differences;
    await this.observe(dataset, mountPath === undefined ? {} : { path: mountPath });
  }

  /** Waits until the pod runs, starts a probe in it and waits until that reads. Defaults: `demo`, `/data`, the files that it has read before, or all. */
  async observe(
    dataset: Dataset,
    {
      container = 'demo',
      path: mountPath = '/data',
      files = this.#observation?.files ?? dataset.files,
    }: { readonly container?: string; readonly path?: string; readonly files?: Files } = {},
  ): Promise<void> {
    const pod = await this.ready(container);
    const path = await this.#mountPoint(container, mountPath);
    await this.#probe(container, path, files);
    const status = containerOf(pod, container);
    const before = { containerId: status?.containerID ?? '', restartCount: status?.restartCount ?? 0 };
    this.#observation = { container, path, dataset, files, node: pod.spec?.nodeName, before };
    await untilPodReads(this);
    await this.namespace.snapshotMounts('before');
  }

  /** Reads at another path of the observed container with one more probe. */
  async probeAt(path: string, files: Files): Promise<void> {
    await this.#probe(this.#observed.container, path, files);
  }

  /** Waits until the pod runs and is ready; if `container` is an init container, until that runs. */
  ready(container?: string): Promise<V1Pod> {
    const { scenario } = this.namespace;
    const isInit = ({ spec }: V1Pod) => spec?.initContainers?.some(({ name }) => name === container) === true;
    return scenario.eventually({
      condition: `pod ${this.name} is Running and ready`,
      read: () => this.read(),
      until: (pod) =>
        isInit(pod)
          ? containerOf(pod, container)?.state?.running !== undefined
          : pod.status?.phase === 'Running' && (pod.status.containerStatuses ?? []).every(({ ready }) => ready),
      format: (pod) => `${formatPodState(pod)}; ${lastSeen(scenario.history)}`,
    });
  }

  exec(command: readonly string[]): Promise<ExecResult> {
    return this.namespace.scenario.session.cluster.exec(this.container, command);
  }

  /** Mount table of the observed container. */
  mountTable(): Promise<readonly string[]> {
    return this.namespace.scenario.session.cluster.mountTable(this.container);
  }

  /** Starts a user's program in the pod, until the end of the scenario. */
  async run(command: readonly string[], name = command.join(' ')): Promise<RunningProgram> {
    const { scenario } = this.namespace;
    return scenario.use(await scenario.session.cluster.run(this.container, command, name));
  }

  /** Starts one of the harness's own programs in the pod, until the end of the scenario. */
  runProgram(program: Omit<ProgramRun, 'target'>): Promise<RunningProgram> {
    return this.namespace.scenario.runProgram({ ...program, target: this.container });
  }

  async #mountPoint(container: string, path: string): Promise<string> {
    const { cluster } = this.namespace.scenario.session;
    const target = { ...this.container, container };
    const table = await cluster.mountTable(target);
    if (table.some((line) => line.split(' ')[4] === path)) return path;
    const { stdout } = await cluster.exec(target, ['readlink', '-f', path]);
    return stdout.trim() || path;
  }

  async #probe(container: string, path: string, files: Files): Promise<void> {
    const { scenario, name: namespace } = this.namespace;
    const target = { namespace, pod: this.name, container };
    const { cluster } = scenario.session;
    scenario.use(await cluster.probe({ target, path, rate: scenario.probeRate, files: checksums(files) }));
  }
}
