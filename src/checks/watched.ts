import { type Crash, crashesOf, type Hang, troubleOf } from '../timeline/crashes.ts';
import type { HistoryEvent, ProbeEvent } from '../timeline/record.ts';
import { type Consumer, probeOf } from './consumer.ts';

/** What a history tells of one consumer. */
export interface Watched {
  /** All events, in order of time. */
  readonly events: readonly HistoryEvent[];
  /** The consumer's probe operations, in order of the time at which they were due. */
  readonly operations: readonly ProbeEvent[];
  readonly hangs: readonly Hang[];
  /** Faults that ended a daemon or disturbed the probe. */
  readonly crashes: readonly Crash[];
}

/**
 * A scenario's history up to the moment at which it was judged: what comes later is its end, which takes away probes,
 * programs and pods.
 */
export const until = (history: readonly HistoryEvent[], moment: number) => history.filter(({ at }) => at <= moment);

export function watchedOf(history: readonly HistoryEvent[], consumer: Consumer): Watched {
  const events = history.toSorted((a, b) => a.at - b.at);
  const probe = probeOf(consumer);
  const operations = events.filter((event): event is ProbeEvent => event.kind === 'probe' && event.probe === probe);
  const trouble = troubleOf(probe, operations, events);
  const crashes = crashesOf({
    faults: events.flatMap((event) => (event.kind === 'fault' && event.phase === 'injected' ? event : [])),
    daemons: events.flatMap((event) => (event.kind === 'process' && event.role === 'daemon' ? event : [])),
    trouble,
    end: events.reduce((last, event) => Math.max(last, event.kind === 'probe' ? event.finishedAt : event.at), 0),
  });
  return { events, operations, hangs: trouble.hangs, crashes };
}

/** Whether an operation was really done, rather than charged for a slot that another one blocked. */
export const wasDone = ({ startedAt, finishedAt }: ProbeEvent) => startedAt < finishedAt;

/**
 * Whether an operation shows that data can be read. A stat does not: the kernel answers it from its cache while the daemon
 * is dead.
 */
export const provesReading = (operation: ProbeEvent) =>
  operation.op !== 'stat' && operation.result === 'ok' && wasDone(operation);

/** Operations that began after the crash and before the next one. */
export const startedIn = (crash: Crash, operations: readonly ProbeEvent[]) =>
  operations.filter(({ startedAt }) => startedAt > crash.from && startedAt < crash.to);

/** Why a history without a crash says nothing. */
export const noCrash = 'the history has no fault that ended a daemon or disturbed the pod';
