import type { HistoryEvent, ProbeEvent } from '../timeline/record.ts';
import { claimsSuccess } from '../timeline/success-event.ts';
import { lastSeen } from './last-seen.ts';
import type { Waiting } from './waiting.ts';

/** Good reads in a row after which a pod is said to read again. */
const steady = 10;

interface ObservedPods {
  readonly namespace: string;
  /** The probe's name, as the history has it, by the pod's. */
  readonly probeOf: (pod: string) => string;
  /** Rekindle's own agent says it twice, in its log and by a Kubernetes event; others may do either. */
  readonly saysItTwice: boolean;
}

/** What a pod's probe, and the agent's claims about the pod, are waited for to show. */
export class PodReads {
  readonly #waiting: Waiting;
  readonly #pods: ObservedPods;

  constructor(waiting: Waiting, pods: ObservedPods) {
    this.#waiting = waiting;
    this.#pods = pods;
  }

  /** Until the probe in the pod has read ten times in a row, and listed, since the last fault, or since it began. */
  async reads(name: string): Promise<void> {
    const since = this.#waiting.lastFault;
    await this.#waiting.poll({
      what: `pod ${name} reads`,
      look: () => this.#readsSteadily(name, since),
      until: (steadily) => steadily,
      say: () => `${lastOperations(this.#operations(name, since))}; ${lastSeen(this.#waiting.history)}`,
    });
  }

  /** Until the daemon died and was back, and the pod has read again: after the recovery, not before the crash was felt. */
  async readsAfterRecovery(name: string): Promise<void> {
    const since = this.#waiting.lastFault;
    await this.#waiting.daemonReadyAfter(since);
    await this.reads(name);
    // On a busy machine one may just be slow.
    await this.#nothingHangs(name, since);
  }

  /** Until the probe in the pod failed with a dead mount's errno after the last fault. */
  async failsAfterCrash(name: string): Promise<void> {
    const since = this.#waiting.lastFault;
    await this.#waiting.happens(
      `the probe in ${name} fails`,
      (event) =>
        event.kind === 'probe' &&
        event.probe === this.#pods.probeOf(name) &&
        event.at >= since &&
        event.result !== 'ok',
    );
  }

  /** Until the daemon is back and a recovery, were there one, would have happened; the pod still fails then. */
  async staysBroken(name: string, watchMs: number): Promise<void> {
    await this.failsAfterCrash(name);
    await this.#waiting.daemonReadyAfter(this.#waiting.lastFault);
    // The last operation that was judged is a little older than now.
    await this.#waiting.watchFor(watchMs + 500);
  }

  /** Until a claim that the pod was recovered is in the history, with the operations that confirm or refute it. */
  async claimArrives(name: string): Promise<void> {
    const since = this.#waiting.lastFault;
    const pod = `${this.#pods.namespace}/${name}`;
    const inLog = (event: HistoryEvent) =>
      event.kind === 'agent' && event.event === 'recovered' && event.where?.startsWith(`${pod}/`) === true;
    const byEvent = (event: HistoryEvent) => event.kind === 'event' && claimsSuccess(event, pod) !== undefined;
    const claims = (event: HistoryEvent) => event.at > since && (inLog(event) || byEvent(event));
    await this.#waiting.happens('the agent or an event says that the pod was recovered', claims);
    // Its Kubernetes event is on its way by then, and is judged by the crash that it follows.
    if (this.#pods.saysItTwice)
      await this.#waiting.happens(
        'the event says that the pod was recovered',
        (event) => event.kind === 'event' && event.at > since && claimsSuccess(event, pod) === 'pod',
      );
    // Where it says so more than once, each is judged by what follows.
    const said = () => this.#waiting.history.findLast(claims)?.at ?? 0;
    await this.#waiting.poll({
      what: 'the probe confirms or refutes it',
      look: () => this.#operations(name, said()),
      until: ({ length }) => length >= 2 * steady,
      say: lastOperations,
    });
    await this.#nothingHangs(name, this.#waiting.history.find(claims)?.at ?? 0);
  }

  /** Until no operation that began since is still under way; one that never comes back is left to the check to say. */
  async #nothingHangs(name: string, since: number): Promise<void> {
    await this.#waiting
      .poll({
        what: 'what the probe asks comes back',
        look: () =>
          this.#waiting.history
            .filter((event) => event.kind === 'hang')
            .findLast((event) => event.since >= since && event.probe === this.#pods.probeOf(name)),
        until: (last) => last === undefined || last.over,
        say: (last) => `a ${last?.op} hangs`,
      })
      .catch((error: { readonly code?: string }) => {
        if (error.code !== 'POLL_TIMEOUT') throw error;
      });
  }

  /** Whether the last operations all went well. Looked for from the end, since it is asked for again and again. */
  #readsSteadily(name: string, since: number): boolean {
    const { history } = this.#waiting;
    let good = 0;
    let listed = false;
    for (let index = history.length - 1; index >= 0 && !(good >= steady && listed); index--) {
      const event = history[index];
      if (event === undefined || event.at < since) break;
      if (!this.#isOperation(event, name)) continue;
      if (event.result !== 'ok') break;
      good += 1;
      listed ||= event.op === 'list';
    }
    return good >= steady && listed;
  }

  /** What the probe in a pod did since a moment. */
  #operations(name: string, since: number) {
    const { history } = this.#waiting;
    const first = history.findLastIndex(({ at }) => at < since) + 1;
    return history.slice(first).filter((event) => this.#isOperation(event, name));
  }

  /**
   * Not stat, which the kernel may answer from what it remembers; nor what was only charged for a slot that another one blocked,
   * which proves nothing to the checks either.
   */
  #isOperation(event: HistoryEvent, name: string): event is ProbeEvent {
    if (event.kind !== 'probe' || event.op === 'stat' || event.startedAt >= event.finishedAt) return false;
    return event.probe === this.#pods.probeOf(name);
  }
}

function lastOperations(all: readonly { readonly op: string; readonly result: string }[]): string {
  if (all.length === 0) return 'no operation of its probe at all';
  const last = all.slice(-5).map(({ op, result }) => `${op} ${result}`);
  return `the last of ${all.length} operations: ${last.join(', ')}`;
}
