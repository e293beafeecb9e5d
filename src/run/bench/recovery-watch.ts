import { lateNs, steadyCount } from '../../../reports/bench/samples.ts';
import type { HistoryEvent } from '../../timeline/record.ts';

interface State {
  failed: boolean;
  good: number;
}

/**
 * Follows events to find out when the probes are steady after a crash: ten good operations in a row, none late, after an error or, for
 * a probe too slow to meet one, after the daemon was ready. Times are absolute.
 */
export class RecoveryWatch {
  readonly #probes = new Map<string, State>();
  /** Time of the last crash. Before the first one, no error is required. */
  #since: number | undefined;
  #readyAt = Number.POSITIVE_INFINITY;

  add(probe: string): void {
    this.#probes.set(probe, { failed: false, good: 0 });
  }

  remove(probe: string): void {
    this.#probes.delete(probe);
  }

  /** Starts anew right before a crash. */
  begin(now: number): void {
    this.#since = now;
    this.#readyAt = Number.POSITIVE_INFINITY;
    for (const probe of this.#probes.keys()) this.add(probe);
  }

  get readyAt(): number {
    return this.#readyAt;
  }

  get steady(): boolean {
    return [...this.#probes.values()].every(({ good }) => good >= steadyCount);
  }

  take(event: HistoryEvent): void {
    if (
      event.kind === 'process' &&
      event.role === 'daemon' &&
      event.change === 'ready' &&
      event.at > (this.#since ?? Number.POSITIVE_INFINITY)
    )
      this.#readyAt = Math.min(this.#readyAt, event.at);
    if (event.kind !== 'probe' || event.at < (this.#since ?? 0)) return;
    const state = this.#probes.get(event.probe);
    if (!state) return;
    if (event.result === 'ok' && event.startedAt === event.finishedAt) return;
    const isGood = event.result === 'ok' && event.finishedAt - event.at <= lateNs;
    if (event.result !== 'ok') state.failed = true;
    // The kernel may answer stat from its cache of a dead mount.
    else if (event.op === 'stat' && state.good === 0) return;
    const counts = this.#since === undefined || state.failed || event.at > this.#readyAt;
    state.good = isGood && counts ? state.good + 1 : 0;
  }
}
