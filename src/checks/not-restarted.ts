import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';
import { noCrash, watchedOf } from './watched.ts';

/** A container's status as the API server tells it. */
export interface ContainerState {
  readonly containerId: string;
  readonly restartCount: number;
}

export interface Restarts {
  readonly consumer: Consumer;
  /** Before the first fault; absent where nobody looked. */
  readonly before?: ContainerState;
  /** After the last recovery. */
  readonly after?: ContainerState;
}

/** The application's container is the same one as before, by its status and by what the kubelet and its processes did. */
export function isNotRestarted(history: readonly HistoryEvent[], restarts: Restarts): CheckRecord {
  return concluded({ name: 'the pod is not restarted', claims: ['L1', 'C3'] }, judge(history, restarts));
}

function judge(history: readonly HistoryEvent[], { consumer, before, after }: Restarts): Finding {
  if (before !== undefined && after !== undefined) {
    if (before.restartCount !== after.restartCount) {
      return fail(`the restart count went from ${before.restartCount} to ${after.restartCount}`);
    }
    if (before.containerId !== after.containerId) {
      return fail(`the container was ${before.containerId} and is ${after.containerId}`);
    }
  }
  const { events, crashes } = watchedOf(history, consumer);
  const [crash] = crashes;
  if (crash === undefined) return inconclusive(noCrash);
  const later = events.filter(({ at }) => at >= crash.from);
  const restarted = later.find((event) => restarts(event, consumer));
  if (restarted !== undefined) return fail(describe(restarted));
  if (before === undefined || after === undefined)
    return inconclusive('nobody looked at the container before and after');
  return pass(
    `container ${after.containerId} and restart count ${after.restartCount} are the same as before the crash`,
  );
}

function restarts(event: HistoryEvent, consumer: Consumer): boolean {
  const { namespace, pod, container } = consumer;
  if (event.kind === 'kubelet') {
    const ours =
      (event.pod === `${namespace}/${pod}` || event.pod === pod) && (event.container ?? container) === container;
    return ours && (event.event === 'restarted' || event.event === 'restart-scheduled');
  }
  return (
    event.kind === 'process' &&
    event.role === 'container' &&
    event.name === whereOf(consumer) &&
    event.change === 'exited'
  );
}

function describe(event: HistoryEvent): string {
  if (event.kind === 'kubelet') return `the kubelet says ${event.event} of ${event.container ?? 'the container'}`;
  if (event.kind !== 'process') return 'the container was restarted';
  return `the container's process ended (${event.signal ?? `status ${event.exitCode ?? 'unknown'}`})`;
}
