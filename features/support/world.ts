import { setWorldConstructor, World } from '@cucumber/cucumber';
import { sessionOf } from '../../src/run/session.ts';
import type { ApplicationDifferences } from '../../src/scenario/applications.ts';
import type { DatasetDifferences } from '../../src/scenario/datasets.ts';
import type { Subject } from '../../src/scenario/judgements.ts';
import type { Trial } from '../../src/scenario/trial.ts';

/** What the steps of one scenario share. */
export class RekindleWorld extends World<{ session: string }> {
  #trial: Trial | undefined;
  /** The pod and the dataset that the scenario is about. */
  pod = 'demo-app';
  dataset = 'demo-dataset';
  /** Pods without a probe. */
  otherPods: readonly string[] = [];

  get session() {
    return sessionOf(this.parameters.session);
  }

  get trial(): Trial {
    if (!this.#trial) throw new Error('the scenario has not begun');
    return this.#trial;
  }

  set trial(trial: Trial) {
    this.#trial = trial;
  }

  get hasBegun(): boolean {
    return this.#trial !== undefined;
  }

  /** The PersistentVolume's name. */
  get volume(): string {
    return `${this.trial.namespace}-${this.dataset}`;
  }

  get subject(): Subject {
    const { target, path } = this.trial.application(this.pod);
    return { trial: this.trial, consumer: { ...target, path }, volume: this.volume };
  }

  /** Starts a pod on a dataset, which is created first where the scenario has not done so. */
  async start(pod: string, dataset: string, differences: ApplicationDifferences): Promise<void> {
    this.pod = pod;
    this.dataset = dataset;
    await this.trial.ensureDataset(dataset);
    await this.trial.startApplication(pod, dataset, differences);
  }

  /** Creates a dataset that the scenario is about from now on. */
  async create(dataset: string, differences: DatasetDifferences): Promise<void> {
    this.dataset = dataset;
    await this.trial.createDataset(dataset, differences);
  }
}

setWorldConstructor(RekindleWorld);
