import { setWorldConstructor, World } from '@cucumber/cucumber';
import type { Dataset, DatasetDifferences } from '../../src/scenario/dataset.ts';
import type { Namespace } from '../../src/scenario/namespace.ts';
import type { PodDifferences, ScenarioPod } from '../../src/scenario/pod.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { sessionOf } from '../../src/scenario/session.ts';

/** State that the steps of one scenario share. */
export class RekindleWorld extends World<{ session: string }> {
  #scenario: Scenario | undefined;
  #pod: ScenarioPod | undefined;
  #dataset: Dataset | undefined;
  /** Seed claims among the scenario's tags. */
  claims: readonly string[] = [];
  /** Pods without a probe. */
  otherPods: readonly ScenarioPod[] = [];

  get session() {
    return sessionOf(this.parameters.session);
  }

  get scenario(): Scenario {
    if (!this.#scenario) throw new Error('the scenario has not begun');
    return this.#scenario;
  }

  set scenario(scenario: Scenario) {
    this.#scenario = scenario;
  }

  get hasBegun(): boolean {
    return this.#scenario !== undefined;
  }

  get namespace(): Namespace {
    return this.scenario.namespace;
  }

  get timeline() {
    return this.scenario.timeline;
  }

  get history() {
    return this.scenario.history;
  }

  /** The pod that the scenario is about. */
  get pod(): ScenarioPod {
    return this.#pod ?? this.namespace.pod('demo-app');
  }

  set pod(pod: ScenarioPod) {
    this.#pod = pod;
  }

  /** The dataset that the scenario is about. */
  get dataset(): Dataset {
    return this.#dataset ?? this.namespace.dataset('demo-dataset');
  }

  set dataset(dataset: Dataset) {
    this.#dataset = dataset;
  }

  /** Consumer and volume that checks judge, and the kernel on which they are used. */
  get subject() {
    return { consumer: this.pod.consumer, volume: this.dataset.volume, kernel: this.session.cluster.kernel };
  }

  /** Makes a pod and a dataset the ones that the scenario is about. */
  focus(pod: string, dataset: string): void {
    this.pod = this.namespace.pod(pod);
    this.dataset = this.namespace.dataset(dataset);
  }

  /** Starts a pod on a dataset, which is created if the scenario has not done so. */
  async start(pod: string, dataset: string, differences: PodDifferences): Promise<void> {
    this.focus(pod, dataset);
    await this.dataset.ensure();
    await this.pod.start(this.dataset, differences);
  }

  /** Creates the dataset that the scenario is about from now on. */
  async create(dataset: string, differences: DatasetDifferences = {}): Promise<void> {
    this.dataset = this.namespace.dataset(dataset);
    await this.dataset.create(differences);
  }
}

setWorldConstructor(RekindleWorld);
