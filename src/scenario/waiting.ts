import { type PollOptions, poll } from '../../clusters/poll.ts';
import type { Session } from '../run/session.ts';
import type { HistoryEvent } from '../timeline/record.ts';
import { lastSeen } from './last-seen.ts';

export type Wait<T> = Pick<PollOptions<T>, 'what' | 'look' | 'until' | 'say'>;

/** How a scenario waits, for something in its own history or in the cluster: with the patience that the cluster asks for. */
export class Waiting {
  readonly #session: Session;
  readonly #scenario: string;
  readonly #patienceMs: number;

  /** `times`: so many times the cluster's patience, in a scenario that goes on for long. */
  constructor(session: Session, scenario: string, times = 1) {
    this.#session = session;
    this.#patienceMs = times * session.cluster.patienceMs;
    this.#scenario = scenario;
  }

  /** Everything that happened in this scenario so far, in order of time. */
  get history(): readonly HistoryEvent[] {
    return this.#session.history.ofScenario(this.#scenario);
  }

  /** Moment of the last fault in nanoseconds since the run began; 0 where there was none. */
  get lastFault(): number {
    return this.history.findLast((event) => event.kind === 'fault' && event.phase === 'injected')?.at ?? 0;
  }

  /** Until something is as wanted; otherwise it says what it waited for and what it saw. */
  poll<T>(wait: Wait<T>): Promise<T> {
    return poll({ ...wait, timeoutMs: this.#patienceMs, signal: this.#session.signal });
  }

  /** Until something is in the history. */
  async happens(what: string, is: (event: HistoryEvent) => boolean): Promise<void> {
    await this.poll({ what, look: () => this.history, until: (events) => events.some(is), say: lastSeen });
  }

  /** Lets time pass while things are watched: for promises that something does not happen. */
  async watchFor(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    const { signal } = this.#session;
    const timeoutMs = milliseconds + this.#patienceMs;
    const look = () => performance.now();
    await poll({ what: 'time passes', look, until: (now) => now >= end, say: String, timeoutMs, signal });
  }

  /** Until a daemon has become ready after a moment, in nanoseconds since the run began. */
  daemonReadyAfter(since: number): Promise<void> {
    return this.happens(
      'the daemon is ready again',
      (event) => event.kind === 'process' && event.role === 'daemon' && event.change === 'ready' && event.at > since,
    );
  }
}
