import { kubeletRules, predictDelay } from '../backoff/predict.ts';
import { backoffRows, type Expectation } from '../backoff/rows.ts';
import { seenRestarts } from '../backoff/seen-restarts.ts';
import type { Fault } from '../faults/fault.ts';
import { recoveries } from '../timeline/phases.ts';
import type { BackoffRow } from '../timeline/record.ts';
import type { Trial } from './trial.ts';

export interface CrashLoopOptions {
  readonly fault: Fault;
  readonly dataset: string;
  /** The pod that has to read again before the next crash. */
  readonly pod: string;
}

/** Crashes a daemon again and again, and says before each crash how long the kubelet is going to wait. */
export class CrashLoop {
  readonly #trial: Trial;
  readonly #options: CrashLoopOptions;
  readonly #expected: Expectation[] = [];

  constructor(trial: Trial, options: CrashLoopOptions) {
    this.#trial = trial;
    this.#options = options;
  }

  /** The next crash, once the pod reads. The prediction is in the history before the fault is. */
  async crash(): Promise<void> {
    const { fault, dataset, pod } = this.#options;
    if (this.#expected.length > 0) await this.#trial.readsAfterRecovery(pod);
    const { session } = this.#trial;
    const now = Number(process.hrtime.bigint());
    const at = session.history.now();
    const expectation = this.#expect((at / 1e6) * this.#clockScale);
    this.#expected.push(expectation);
    const text = `predicted: the kubelet waits ${expectation.delayMs / 1000} s (${expectation.because})`;
    session.onEvent({ kind: 'note', at: now, text });
    await this.#trial.crash(fault, dataset);
  }

  /** Until the daemon has run longer than the kubelet remembers its crashes. */
  async runsLong(): Promise<void> {
    await this.#trial.readsAfterRecovery(this.#options.pod);
    // A little more, because the last start was allowed a little before it was seen.
    await this.#trial.watchFor((kubeletRules.resetAfterMs * 1.02) / this.#clockScale);
  }

  /** Predicted and observed, for the record. */
  rows(): readonly BackoffRow[] {
    const { notes, history } = this.#trial;
    const seen = recoveries(history, notes.id).filter(({ pod }) => pod.endsWith(`/${this.#options.pod}`));
    const faults = history.filter((event) => event.kind === 'fault' && event.phase === 'injected');
    const outages = faults.map(({ at }) => {
      const readable = seen.find(({ crash }) => crash === at)?.readable;
      return { crash: at, ...(readable !== undefined && { readable }) };
    });
    const rows = backoffRows(history, {
      container: this.#container,
      clockScale: this.#clockScale,
      expected: this.#expected,
      outages,
    });
    notes.backoff = rows;
    return rows;
  }

  #expect(nowMs: number): Expectation {
    const { history } = this.#trial;
    const container = this.#container;
    const restarts = seenRestarts(history, { container, clockScale: this.#clockScale });
    const first = history.find((event) => event.kind === 'process' && event.name === container)?.at ?? 0;
    const began = restarts.at(-1)?.startedAt ?? (first / 1e6) * this.#clockScale;
    return { ...predictDelay(restarts, nowMs), ranMs: nowMs - began };
  }

  get #clockScale(): number {
    return this.#trial.session.cluster.fidelity.clockScale;
  }

  /** The daemon's container, as the history calls it. */
  get #container(): string {
    const daemon = this.#trial.history.find((event) => event.kind === 'process' && event.role === 'daemon');
    return daemon?.kind === 'process' ? daemon.name : '';
  }
}
