import { setTimeout as delay } from 'node:timers/promises';
import type { WatchedPod } from '../../../reports/bench/samples.ts';
import { Daemon, daemonInRole } from '../../scenario/daemon.ts';
import { checksums } from '../../scenario/dataset.ts';
import { documentedFiles, standbyAnnotation, takeoverAnnotation } from '../../scenario/manifests.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { HistoryEvent } from '../../timeline/record.ts';
import type { RecoveryWatch } from './recovery-watch.ts';
import { Sweep } from './sweep.ts';

export interface SeriesPodsOptions {
  readonly scenario: Scenario;
  readonly watch: RecoveryWatch;
  readonly datasets: number;
  /** Pods of each dataset. */
  readonly pods: number;
  readonly rate: number;
  /** Whether the first pod of each dataset has a probe. Otherwise one process reads in all pods. */
  readonly probed: boolean;
  /** Standbys of each dataset. */
  readonly standbys: number;
  /** Whether the datasets' daemons continue on the connection of a dead one. */
  readonly takesOver: boolean;
  /** Folder for the instructions to these processes. */
  readonly folder: string;
  readonly onProgress: (line: string) => void;
}

interface BenchDataset {
  readonly name: string;
  pods: readonly string[];
  probe?: { readonly name: string; readonly running: AsyncDisposable };
  readonly sweep?: Sweep;
}

/** Number of pods that are created at once. */
const batchSize = 20;
const [file = ''] = Object.keys(documentedFiles);

/** The datasets of a series, the pods that read them, and their probes and sweeps. */
export class SeriesPods {
  readonly #options: SeriesPodsOptions;
  readonly #datasets: BenchDataset[] = [];
  readonly #watched: (WatchedPod & { to?: number })[] = [];
  readonly #pids = new Map<string, number>();
  #generation = 0;
  #crashed = false;

  constructor(options: SeriesPodsOptions) {
    this.#options = options;
  }

  get datasets(): readonly { readonly name: string; readonly sweep?: Sweep }[] {
    return this.#datasets;
  }

  /** All pods that had a probe, replaced ones included. */
  get watched(): readonly WatchedPod[] {
    return this.#watched;
  }

  /** Creates datasets and pods. Resolves when all run and their probes and sweeps read. */
  async start(): Promise<void> {
    const { scenario, datasets, pods, probed, standbys, takesOver, folder } = this.#options;
    const annotations = {
      ...(standbys > 0 && { [standbyAnnotation]: String(standbys) }),
      ...(takesOver && { [takeoverAnnotation]: 'true' }),
    };
    for (let index = 1; index <= datasets; index++) {
      const name = `demo-dataset-${index}`;
      await scenario.namespace.dataset(name).create({ annotations });
      const sweeps = pods > 1 || !probed;
      const options = { scenario, folder, name: `${scenario.namespace.name}-sweep-${index}`, path: `/data/${file}` };
      const sweep = sweeps ? await Sweep.start(options) : undefined;
      this.#datasets.push({ name, pods: [], ...(sweep && { sweep }) });
    }
    await this.renew();
  }

  /** The daemon that the pods of a dataset with standbys show now. */
  activeDaemon(name: string): Daemon {
    const { scenario } = this.#options;
    const pod = this.#datasets.find((each) => each.name === name)?.pods[0] ?? '';
    const dataset = scenario.namespace.dataset(name);
    return new Daemon(dataset, () => daemonInRole(dataset, 'active', { ...this.#target(pod), path: '/data' }));
  }

  /** Prepares for a crash. */
  async begin(): Promise<void> {
    const { scenario, watch } = this.#options;
    for (const { sweep, pods } of this.#datasets) await sweep?.begin(scenario, this.#pidsFor(pods));
    this.#crashed = true;
    watch.begin(Number(process.hrtime.bigint()));
  }

  get complete(): boolean {
    return this.#options.watch.steady && this.#datasets.every(({ sweep }) => sweep?.complete ?? true);
  }

  /** Replaces the pods and deletes the old ones at the same time, as a Deployment does. */
  async renew(): Promise<void> {
    const generation = ++this.#generation;
    for (const dataset of this.#datasets) {
      const old = dataset.pods;
      await this.#stopProbe(dataset);
      dataset.pods = Array.from({ length: this.#options.pods }, (_, pod) => `${dataset.name}-app-${generation}-${pod}`);
      await this.#create(dataset, old);
      dataset.sweep?.replace(this.#pidsFor(dataset.pods));
      if (this.#options.probed) await this.#startProbe(dataset);
    }
  }

  take(event: HistoryEvent): void {
    if (event.kind === 'process' && event.change === 'started' && event.pid !== undefined) {
      this.#pids.set(event.name, event.pid);
      if (this.#crashed) this.#updateSweep(event.name);
    }
    if (event.kind === 'output') for (const { sweep } of this.#datasets) sweep?.take(event);
  }

  /** Number of lines in the mount tables of the node and of the pods with a probe. */
  async mountLines(): Promise<number> {
    const { scenario } = this.#options;
    const pods = this.#datasets.flatMap(({ probe, pods: [pod] }) => (probe && pod ? [this.#target(pod)] : []));
    const tables = await Promise.all([undefined, ...pods].map((target) => scenario.session.cluster.mountTable(target)));
    return tables.reduce((sum, { length }) => sum + length, 0);
  }

  /** Makes the sweep read in a replacement pod from its start. */
  #updateSweep(address: string): void {
    const dataset = this.#datasets.find(({ pods }) => pods.some((pod) => this.#address(pod) === address));
    dataset?.sweep?.replace(this.#pidsFor(dataset.pods));
  }

  async #create({ name, pods }: BenchDataset, old: readonly string[]): Promise<void> {
    const { scenario, onProgress } = this.#options;
    const { namespace } = scenario;
    for (let from = 0; from < pods.length; from += batchSize) {
      const some = pods.slice(from, from + batchSize);
      await Promise.all([
        ...some.map((pod) => namespace.pod(pod).create(namespace.dataset(name), { labelled: true })),
        ...old.slice(from, from + batchSize).map((pod) => namespace.pod(pod).delete()),
      ]);
      await this.#allRun(some);
      if (pods.length >= 5 * batchSize && (from + batchSize) % 100 === 0)
        onProgress(`${Math.min(from + batchSize, pods.length)} of ${pods.length} pods run`);
    }
  }

  /**
   * Waits for the kubelet's report, as long as it reports further pods: an agent with little CPU publishes one after the other. With few
   * pods it waits for the API's, too, because a thousand requests would disturb.
   */
  async #allRun(pods: readonly string[]): Promise<void> {
    const { scenario } = this.#options;
    const count = () => pods.filter((pod) => this.#pids.has(this.#address(pod))).length;
    for (let running = count(); running < pods.length; running = count())
      await scenario.eventually({
        condition: `more than ${running} of the pods ${pods[0]} to ${pods.at(-1)} run`,
        read: count,
        until: (now) => now > running,
        format: (now) => `${now} have a process of their own`,
      });
    if (this.#options.pods <= batchSize) await Promise.all(pods.map((pod) => scenario.namespace.pod(pod).ready()));
  }

  async #startProbe(dataset: BenchDataset): Promise<void> {
    const { scenario, watch, rate } = this.#options;
    const [pod] = dataset.pods;
    if (pod === undefined) return;
    const target = this.#target(pod);
    const name = `${this.#address(pod)}:/data`;
    const { metadata } = await scenario.namespace.pod(pod).read();
    this.#watched.push({
      probe: name,
      uid: metadata?.uid ?? '',
      volume: `${scenario.namespace.name}-${dataset.name}`,
      daemon: `${scenario.namespace.name}/${dataset.name}-`,
      from: scenario.session.history.now(),
    });
    watch.add(name);
    const files = checksums(documentedFiles);
    const running = await scenario.session.cluster.probe({ target, path: '/data', rate, files });
    dataset.probe = { name, running };
    scenario.use(running);
  }

  async #stopProbe(dataset: BenchDataset): Promise<void> {
    if (!dataset.probe) return;
    const { scenario, watch } = this.#options;
    const { name } = dataset.probe;
    watch.remove(name);
    for (const watched of this.#watched) if (watched.probe === name) watched.to = scenario.session.history.now();
    await dataset.probe.running[Symbol.asyncDispose]();
    delete dataset.probe;
    // Its last lines may still be in transit.
    await delay(50);
  }

  #pidsFor(pods: readonly string[]): Readonly<Record<string, number>> {
    return Object.fromEntries(pods.map((pod) => [pod, this.#pids.get(this.#address(pod)) ?? 0]));
  }

  #target(pod: string) {
    return { namespace: this.#options.scenario.namespace.name, pod, container: 'demo' };
  }

  #address(pod: string): string {
    return `${this.#options.scenario.namespace.name}/${pod}/demo`;
  }
}
