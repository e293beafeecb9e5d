import type { V1Pod } from '@kubernetes/client-node';
import type { ContainerRef } from '../../clusters/cluster.ts';
import type { Session } from '../run/session.ts';
import { checksums } from './datasets.ts';
import { lastSeen } from './last-seen.ts';
import { application, applicationLabel, type VolumeBelow } from './manifests.ts';
import type { Objects } from './objects.ts';
import { containerOf, podState } from './pod-state.ts';
import type { Waiting } from './waiting.ts';

/** A pod under observation, as it was when it had started. */
export interface Application {
  readonly target: ContainerRef;
  /** Where the container sees the dataset. */
  readonly path: string;
  readonly dataset: string;
  readonly uid: string;
  readonly node: string | undefined;
  readonly containerId: string;
  readonly restartCount: number;
}

/** How a pod differs from the document's. */
export interface ApplicationDifferences {
  readonly labelled: boolean;
  /** Of the label, instead of `true`. */
  readonly labelValue?: string;
  readonly below?: VolumeBelow;
  /** Instead of `/data`. */
  readonly mountPath?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The pod runs as this user. */
  readonly user?: number;
  /** On another node than the scenario's other pods that are to be apart. */
  readonly apart?: true;
  /** It has users of its own (`hostUsers: false`). */
  readonly ownUsers?: true;
}

/** Where a pod is read in, and what is to be found there. */
export interface Reading {
  readonly pod: string;
  readonly container: string;
  readonly path: string;
  readonly dataset: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

interface Scene {
  readonly session: Session;
  readonly waiting: Waiting;
  readonly namespace: string;
  readonly objects: Objects;
  /** Operations a second of the probes. */
  readonly rate: number;
  /** Ends the probes with the scenario. */
  readonly keep: (probe: AsyncDisposable) => void;
}

/** The pods of a scenario: those that are read in, and what is mounted for them. */
export class Applications {
  readonly #scene: Scene;
  readonly #observed = new Map<string, Application>();
  #linesBefore: number | undefined;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Those that are read in. */
  get all(): readonly Application[] {
    return [...this.#observed.values()];
  }

  of(name: string): Application {
    const found = this.#observed.get(name);
    if (!found) throw new Error(`no pod ${name} was started in this scenario`);
    return found;
  }

  /** Creates the document's pod, and does not wait for it. */
  async create(name: string, dataset: string, differences: ApplicationDifferences): Promise<void> {
    const { labelled, labelValue = 'true', ...others } = differences;
    const labels = labelled ? { [applicationLabel]: labelValue } : {};
    await this.#scene.objects.create(application({ name, dataset, labels, ...others }));
  }

  /** Waits for a pod that was created, and starts a probe in it. */
  async observe({ pod: name, container, path, dataset, files }: Reading): Promise<void> {
    const pod = await this.waitFor(name, container);
    const target = { namespace: this.#scene.namespace, pod: name, container };
    await this.#probe(target, path, files);
    const status = containerOf(pod, container);
    this.#observed.set(name, {
      target,
      path,
      dataset,
      uid: pod.metadata?.uid ?? '',
      node: pod.spec?.nodeName,
      containerId: status?.containerID ?? '',
      restartCount: status?.restartCount ?? 0,
    });
  }

  /** Reads in a pod with one more probe, at another path than the dataset's. */
  async probeAt(name: string, path: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
    await this.#probe(this.of(name).target, path, files);
  }

  /** Until a pod runs and is ready; or, where `container` is an init container, until that runs. */
  waitFor(name: string, container?: string): Promise<V1Pod> {
    const { objects, waiting } = this.#scene;
    const isInit = ({ spec }: V1Pod) => spec?.initContainers?.some((each) => each.name === container) === true;
    return waiting.poll({
      what: `pod ${name} is Running and ready`,
      look: () => objects.readPod(name),
      until: (pod) =>
        isInit(pod)
          ? containerOf(pod, container)?.state?.running !== undefined
          : pod.status?.phase === 'Running' && (pod.status.containerStatuses ?? []).every(({ ready }) => ready),
      say: (pod) => `${podState(pod)}; ${lastSeen(waiting.history)}`,
    });
  }

  /** Records the mount tables of node and pods; how many lines they have. */
  async snapshot(label: string): Promise<number> {
    const { cluster, onEvent } = this.#scene.session;
    let count = 0;
    for (const target of [undefined, ...this.all.map((application) => application.target)]) {
      const lines = await cluster.mountTable(target);
      const where = target ? `${target.namespace}/${target.pod}/${target.container}` : 'node';
      onEvent({ kind: 'snapshot', at: Number(process.hrtime.bigint()), where, label, lines });
      count += lines.length;
    }
    if (label === 'before') this.#linesBefore = count;
    return count;
  }

  /** Takes the mount tables once more: how many lines they had, and have now. */
  async countMounts(): Promise<{ readonly before: number; readonly after: number }> {
    const after = await this.snapshot('after');
    return { before: this.#linesBefore ?? after, after };
  }

  async #probe(target: ContainerRef, path: string, files: Reading['files']): Promise<void> {
    const { session, rate, keep } = this.#scene;
    keep(await session.cluster.probe({ target, path, rate, files: checksums(files) }));
  }
}
