import { setTimeout as delay } from 'node:timers/promises';
import type { WatchedPod } from '../../../reports/bench/samples.ts';
import { checksums } from '../../scenario/dataset.ts';
import { documentedFiles } from '../../scenario/manifests.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { HistoryEvent } from '../../timeline/record.ts';
import type { RecoveryWatch } from './recovery-watch.ts';
import { Sweep } from './sweep.ts';

export interface SeriesPodsOptions {
  readonly scenario: Scenario;
  readonly watch: RecoveryWatch;
  readonly datasets: number;
  /** Of each dataset. */
  readonly pods: number;
  readonly rate: number;
  /** A probe in the first pod of each dataset; otherwise all are read by one process. */
  readonly probed: boolean;
  /** For the orders of those processes. */
  readonly folder: string;
  readonly onProgress: (line: string) => void;
}

interface Dataset {
  readonly name: string;
  pods: readonly string[];
  probe?: { readonly name: string; readonly running: AsyncDisposable };
  readonly sweep?: Sweep;
}

/** How many pods are created, or waited for, at once. */
const atOnce = 20;
const [file = ''] = Object.keys(documentedFiles);

/** The datasets of a series and the pods that read them, with what watches these. */
export class SeriesPods {
  readonly #options: SeriesPodsOptions;
  readonly #datasets: Dataset[] = [];
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

  /** Every pod that a probe was in, those that were replaced since too. */
  get watched(): readonly WatchedPod[] {
    return this.#watched;
  }

  /** Datasets and pods, one after the other: until all run and what watches them reads. */
  async start(): Promise<void> {
    const { scenario, datasets, pods, probed, folder } = this.#options;
    for (let index = 1; index <= datasets; index++) {
      const name = `demo-dataset-${index}`;
      await scenario.namespace.dataset(name).create();
      const sweeps = pods > 1 || !probed;
      const options = { scenario, folder, name: `${scenario.namespace.name}-sweep-${index}`, path: `/data/${file}` };
      const sweep = sweeps ? await Sweep.start(options) : undefined;
      this.#datasets.push({ name, pods: [], ...(sweep && { sweep }) });
    }
    await this.renew();
  }

  /** Right before a crash. */
  async begin(): Promise<void> {
    const { scenario, watch } = this.#options;
    for (const { sweep, pods } of this.#datasets) await sweep?.begin(scenario, this.#pidsOf(pods));
    this.#crashed = true;
    watch.begin(Number(process.hrtime.bigint()));
  }

  get complete(): boolean {
    return this.#options.watch.steady && this.#datasets.every(({ sweep }) => sweep?.complete ?? true);
  }

  /** Other pods in the place of the present ones, which are deleted at the same time, as a Deployment does it. */
  async renew(): Promise<void> {
    const generation = ++this.#generation;
    for (const dataset of this.#datasets) {
      const old = dataset.pods;
      await this.#stopProbe(dataset);
      dataset.pods = Array.from({ length: this.#options.pods }, (_, pod) => `${dataset.name}-app-${generation}-${pod}`);
      await this.#create(dataset, old);
      dataset.sweep?.replace(this.#pidsOf(dataset.pods));
      if (this.#options.probed) await this.#startProbe(dataset);
    }
  }

  take(event: HistoryEvent): void {
    if (event.kind === 'process' && event.change === 'started' && event.pid !== undefined) {
      this.#pids.set(event.name, event.pid);
      if (this.#crashed) this.#tellSweep(event.name);
    }
    if (event.kind === 'output') for (const { sweep } of this.#datasets) sweep?.take(event);
  }

  /** Lines of the mount tables of the node and of the pods with a probe. */
  async mountLines(): Promise<number> {
    const { scenario } = this.#options;
    const pods = this.#datasets.flatMap(({ probe, pods: [pod] }) => (probe && pod ? [this.#target(pod)] : []));
    const tables = await Promise.all([undefined, ...pods].map((target) => scenario.session.cluster.mountTable(target)));
    return tables.reduce((sum, { length }) => sum + length, 0);
  }

  /** A pod that takes another's place counts from its first instruction on. */
  #tellSweep(address: string): void {
    const mine = this.#datasets.find(({ pods }) => pods.some((pod) => this.#address(pod) === address));
    mine?.sweep?.replace(this.#pidsOf(mine.pods));
  }

  async #create({ name, pods }: Dataset, old: readonly string[]): Promise<void> {
    const { scenario, onProgress } = this.#options;
    const { namespace } = scenario;
    for (let from = 0; from < pods.length; from += atOnce) {
      const some = pods.slice(from, from + atOnce);
      await Promise.all([
        ...some.map((pod) => namespace.pod(pod).create(namespace.dataset(name), { labelled: true })),
        ...old.slice(from, from + atOnce).map((pod) => namespace.pod(pod).delete()),
      ]);
      await Promise.all(some.map((pod) => this.#runs(pod)));
      if (pods.length >= 5 * atOnce && (from + atOnce) % 100 === 0)
        onProgress(`${Math.min(from + atOnce, pods.length)} of ${pods.length} pods run`);
    }
  }

  /** Told by the kubelet, and where there are few asked of the API too: what is asked a thousand times disturbs. */
  async #runs(pod: string): Promise<void> {
    const { scenario } = this.#options;
    if (this.#options.pods <= atOnce) await scenario.namespace.pod(pod).ready();
    await scenario.eventually({
      condition: `pod ${pod} runs`,
      read: () => this.#pids.has(this.#address(pod)),
      until: (runs) => runs,
      format: () => 'no process of its own',
    });
  }

  async #startProbe(dataset: Dataset): Promise<void> {
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

  async #stopProbe(dataset: Dataset): Promise<void> {
    if (!dataset.probe) return;
    const { scenario, watch } = this.#options;
    const { name } = dataset.probe;
    watch.remove(name);
    for (const watched of this.#watched) if (watched.probe === name) watched.to = scenario.session.history.now();
    await dataset.probe.running[Symbol.asyncDispose]();
    delete dataset.probe;
    // Its last lines are on their way.
    await delay(50);
  }

  #pidsOf(pods: readonly string[]): Readonly<Record<string, number>> {
    return Object.fromEntries(pods.map((pod) => [pod, this.#pids.get(this.#address(pod)) ?? 0]));
  }

  #target(pod: string) {
    return { namespace: this.#options.scenario.namespace.name, pod, container: 'demo' };
  }

  #address(pod: string): string {
    return `${this.#options.scenario.namespace.name}/${pod}/demo`;
  }
}
