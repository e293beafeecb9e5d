import type { EventOf, ProbeEvent } from './record.ts';
import type { Timeline } from './timeline.ts';

/** An operation that did not return for a while; without `until`, not as long as it was watched. */
export interface Hang {
  readonly since: number;
  readonly until?: number;
}

/** A fault that ended a daemon or disturbed a probe, and what it disturbed until the next crash. */
export interface Crash {
  readonly fault: EventOf<'fault'>;
  readonly from: number;
  /** The next crash, or infinity. Exclusive. */
  readonly to: number;
  /** The last moment of which anything is known. */
  readonly end: number;
  readonly failures: readonly ProbeEvent[];
  readonly hangs: readonly Hang[];
}

/** What one probe observed. */
export interface ProbeObservation {
  /** In the order in which they were due. */
  readonly operations: readonly ProbeEvent[];
  readonly hangs: readonly Hang[];
  readonly crashes: readonly Crash[];
}

/** An operation in flight for longer than this is a hang, by the probe's definition. */
const hangAfterNs = 100e6;

/**
 * A fault that strikes neither a daemon nor its store delays no operation by itself: one that takes less than this, in nanoseconds, waited
 * for a processor.
 */
const processorNs = 1e9;
const strikesElsewhere = /^(agent|keeper|kubelet|app)-/;

/** What a probe observed if only these faults can reach it. `injections`: in order of time. */
export function observe(timeline: Timeline, probe: string, injections: readonly EventOf<'fault'>[]): ProbeObservation {
  const operations = timeline.operations.get(probe) ?? [];
  const hangs = findHangs(timeline, probe);
  const finished = operations.toSorted((a, b) => a.finishedAt - b.finishedAt);
  const failures = finished.filter(({ result }) => result !== 'ok');
  const troubles = findTroubles(finished);

  const exits = timeline.daemons.flatMap(({ change, at }) => (change === 'exited' ? at : []));
  // An operation that was in flight at a fault, and hung from then on, hangs because of that fault.
  const stalls = hangs
    // What is slow to fail during an outage belongs to that outage.
    .filter(({ since }) => !troubles.some(({ from, to }) => from < since && since < to))
    .map(({ since, until = timeline.end }) => ({
      at: injections.findLast(({ at }) => at > since && at < since + hangAfterNs)?.at ?? since,
      tookNs: until - since,
    }));
  const effects = [...exits, ...troubles.map(({ from }) => from)];
  const crashing = injections.filter(({ at, fault }, i) => {
    const next = injections[i + 1]?.at ?? Number.POSITIVE_INFINITY;
    const isWithin = (time: number) => time >= at && time < next;
    const shortest = strikesElsewhere.test(fault) ? processorNs : 0;
    return effects.some(isWithin) || stalls.some((stall) => isWithin(stall.at) && stall.tookNs >= shortest);
  });
  const crashes = crashing.map((fault, i): Crash => {
    const from = fault.at;
    const to = crashing[i + 1]?.at ?? Number.POSITIVE_INFINITY;
    return {
      fault,
      from,
      to,
      end: Math.min(to, timeline.end),
      failures: failures.filter(({ finishedAt }) => finishedAt >= from && finishedAt < to),
      hangs: hangs
        .filter((hang) => hang.since < to && (hang.until ?? Number.POSITIVE_INFINITY) >= from)
        // An operation that began just before the next crash hangs because of that crash.
        .filter(({ since, until = Number.POSITIVE_INFINITY }) => until < to || since + hangAfterNs <= to)
        // A hang that outlasts the window had not returned by the next crash.
        .map((hang) => (hang.until !== undefined && hang.until >= to ? { since: hang.since } : hang)),
    };
  });
  return { operations, hangs, crashes };
}

/** From the first operation that failed to the next that was good, or infinity. `finished`: in the order in which they ended. */
function findTroubles(finished: readonly ProbeEvent[]): readonly { readonly from: number; readonly to: number }[] {
  const troubles: { readonly from: number; to: number }[] = [];
  for (const { op, result, finishedAt } of finished) {
    const last = troubles.at(-1);
    const isFailing = last?.to === Number.POSITIVE_INFINITY;
    if (result !== 'ok' && !isFailing) troubles.push({ from: finishedAt, to: Number.POSITIVE_INFINITY });
    // A stat ends nothing: the kernel may answer it from its cache while the daemon is dead.
    if (result === 'ok' && op !== 'stat' && isFailing) last.to = finishedAt;
  }
  return troubles;
}

/** A hang is recorded repeatedly while it lasts; the result has one for each operation that hung. */
function findHangs(timeline: Timeline, probe: string): readonly Hang[] {
  const hangs = new Map<string, Hang>();
  for (const event of timeline.ofKind('hang')) {
    const key = `${event.op} ${event.since}`;
    if (event.probe !== probe || hangs.get(key)?.until !== undefined) continue;
    hangs.set(key, event.over ? { since: event.since, until: event.at } : { since: event.since });
  }
  return [...hangs.values()];
}

/** An operation younger than this is not yet lost, in nanoseconds. */
const inFlightNs = 2e9;

/** Whether an operation is lost, and not only late when the observed time ended. `end`: for a hang of a crash, the end of that crash. */
export const neverReturned = ({ since, until }: Hang, { end }: { readonly end: number }): boolean =>
  until === undefined && end - since > inFlightNs;

/** Whether an operation was really performed, rather than charged for a slot that another one blocked. */
export const wasPerformed = ({ startedAt, finishedAt }: ProbeEvent): boolean => startedAt < finishedAt;

/** Whether an operation shows that data can be read. A stat does not: the kernel may answer it from its cache. */
export const provesReading = (operation: ProbeEvent): boolean =>
  operation.op !== 'stat' && operation.result === 'ok' && wasPerformed(operation);

/** Operations that began after the crash and before the next one. */
export const operationsAfter = (crash: Crash, operations: readonly ProbeEvent[]): readonly ProbeEvent[] =>
  operations.filter(({ startedAt }) => startedAt > crash.from && startedAt < crash.to);

/** The moments at which the daemons that a crash ended were ready again; any daemons if none was seen to end. */
export function readyTimesAfter({ daemons }: Timeline, crash: Crash): readonly number[] {
  const affected = daemons.filter(({ at }) => at >= crash.from && at < crash.to);
  const ended = new Set(affected.flatMap(({ change, name }) => (change === 'exited' ? workloadName(name) : [])));
  return affected.flatMap(({ change, name, at }) =>
    change === 'ready' && (ended.size === 0 || ended.has(workloadName(name))) ? at : [],
  );
}

/** A daemon's name without the generated suffix of its pod: a FUSE pod that was deleted is replaced by one with another suffix. */
export const workloadName = (name: string): string => name.replace(/-[a-z0-9]{5}(?=\/[^/]+$|$)/, '');
