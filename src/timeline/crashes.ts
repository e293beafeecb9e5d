import type { HistoryEvent, ProbeEvent } from './record.ts';

type Fault = Extract<HistoryEvent, { kind: 'fault' }>;
type Process = Extract<HistoryEvent, { kind: 'process' }>;

/** An operation that did not come back for a while; without `until`, not while anybody looked. */
export interface Hang {
  readonly since: number;
  readonly until?: number;
}

/** What went wrong for one probe, in the order of its end. */
export interface Trouble {
  readonly failures: readonly ProbeEvent[];
  readonly hangs: readonly Hang[];
  /** When operations began to fail, each time. */
  readonly onsets: readonly number[];
}

/** A fault that took a daemon away or disturbed a probe, and what it disturbed until the next one. */
export interface Crash {
  readonly fault: Fault;
  readonly from: number;
  /** The next crash, or infinity. Exclusive. */
  readonly to: number;
  /** The last moment of which anything is known. */
  readonly end: number;
  readonly failures: readonly ProbeEvent[];
  readonly hangs: readonly Hang[];
}

export function troubleOf(probe: string, operations: readonly ProbeEvent[], events: readonly HistoryEvent[]): Trouble {
  const ended = operations.toSorted((a, b) => a.finishedAt - b.finishedAt);
  const onsets: number[] = [];
  let failing = false;
  for (const { op, result, finishedAt } of ended) {
    if (result !== 'ok') {
      if (!failing) onsets.push(finishedAt);
      failing = true;
    } else if (op !== 'stat') {
      // A stat that the kernel answers from its cache, while the daemon is dead, ends nothing.
      failing = false;
    }
  }
  // A hang is recorded again and again while it lasts: one for each operation and moment of its beginning.
  const hangs = new Map<string, Hang>();
  for (const event of events) {
    if (event.kind !== 'hang' || event.probe !== probe) continue;
    const known = hangs.get(`${event.op} ${event.since}`);
    if (known?.until !== undefined) continue;
    hangs.set(
      `${event.op} ${event.since}`,
      event.over ? { since: event.since, until: event.at } : { since: event.since },
    );
  }
  return {
    failures: ended.filter((operation) => operation.result !== 'ok'),
    hangs: [...hangs.values()],
    onsets,
  };
}

/** An operation in flight for longer is a hang, as the probe has it. */
const hangAfterNs = 100e6;

export interface CrashSearch {
  /** Injections, in order of time. */
  readonly faults: readonly Fault[];
  readonly daemons: readonly Process[];
  readonly trouble: Trouble;
  readonly end: number;
}

/** The faults that were crashes for this probe, each with its window. */
export function crashesOf({ faults, daemons, trouble, end }: CrashSearch): Crash[] {
  const exits = daemons.filter((process) => process.change === 'exited').map((process) => process.at);
  // What was under way when a fault came, and hung from then on, hangs because of that fault.
  const stalls = trouble.hangs.map(
    ({ since }) => faults.findLast(({ at }) => at > since && at < since + hangAfterNs)?.at ?? since,
  );
  const crashing = faults.filter((fault, i) => {
    const next = faults[i + 1]?.at ?? Number.POSITIVE_INFINITY;
    return [...exits, ...trouble.onsets, ...stalls].some((time) => time >= fault.at && time < next);
  });
  return crashing.map((fault, i) => {
    const from = fault.at;
    const to = crashing[i + 1]?.at ?? Number.POSITIVE_INFINITY;
    return {
      fault,
      from,
      to,
      end: Math.min(to, end),
      failures: trouble.failures.filter(({ finishedAt }) => finishedAt >= from && finishedAt < to),
      hangs: trouble.hangs
        .filter((hang) => hang.since < to && (hang.until ?? Number.POSITIVE_INFINITY) >= from)
        // What had only begun when the next crash came was not hanging: that crash made it.
        .filter(({ since, until = Number.POSITIVE_INFINITY }) => until < to || since + hangAfterNs <= to)
        // One that outlasts the window had not come back when the next crash came.
        .map((hang) => (hang.until !== undefined && hang.until >= to ? { since: hang.since } : hang)),
    };
  });
}
