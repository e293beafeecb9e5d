import type { HistoryEvent } from '../record.ts';
import type { HistoryUnwritable } from './history-unwritable.ts';
import { type LineFile, openLineFile } from './line-file.ts';

export interface HistoryOptions {
  /** The file, one event a line; must not exist yet. Who opens the history has made the folder and removes both. */
  readonly path: string;
  /** Absolute CLOCK_MONOTONIC nanoseconds of the run's beginning; later subtracted from every time. */
  readonly origin: number;
  /** Called once, as soon as a write fails. `flush` and `close` reject with the same error. */
  readonly onUnwritable?: (error: HistoryUnwritable) => void;
}

/** Everything that happened in a run: append-only, on one clock, in memory for the checks and on disk for the reports. */
export interface History extends AsyncDisposable {
  /** Takes an event with absolute times. Never throws: the event is kept in memory even when the disk is full. */
  append(event: HistoryEvent): void;
  /** From now on events belong to this scenario; to none where undefined. */
  enter(scenario: string | undefined): void;
  /** All events, in order of arrival, times since `origin`. */
  readonly events: readonly HistoryEvent[];
  /** The events of one scenario, in order of time; the same list each time, which grows as more happens. */
  ofScenario(scenario: string): readonly HistoryEvent[];
  /** Now, in nanoseconds since `origin`. */
  now(): number;
  /** Resolves when all is written. @throws HistoryUnwritable */
  flush(): Promise<void>;
  /** Writes what is left and closes the file. @throws HistoryUnwritable */
  close(): Promise<void>;
}

/** @throws HistoryUnwritable where the file cannot be made. */
export async function openHistory({ path, origin, onUnwritable }: HistoryOptions): Promise<History> {
  const file: LineFile = await openLineFile(path, onUnwritable);
  const events: HistoryEvent[] = [];
  const byScenario = new Map<string, HistoryEvent[]>();
  const eventsOf = (scenario: string) => {
    const known = byScenario.get(scenario) ?? [];
    byScenario.set(scenario, known);
    return known;
  };
  let current: string | undefined;
  return {
    append(event) {
      const kept = { ...sinceOrigin(event, origin), ...(current !== undefined && { scenario: current }) };
      events.push(kept);
      if (current !== undefined) insertInOrder(eventsOf(current), kept);
      file.line(JSON.stringify(kept));
    },
    enter(scenario) {
      current = scenario;
    },
    events,
    ofScenario: eventsOf,
    now: () => Number(process.hrtime.bigint()) - origin,
    flush: () => file.flush(),
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Events by time; those of the same time as they arrived. A probe's events arrive some milliseconds late, so from the end. */
function insertInOrder(events: HistoryEvent[], event: HistoryEvent): void {
  let position = events.length;
  while (position > 0 && (events[position - 1]?.at ?? 0) > event.at) position--;
  events.splice(position, 0, event);
}

/** Subtracts the origin from each moment of an event; durations stay as they are. */
function sinceOrigin(event: HistoryEvent, origin: number): HistoryEvent {
  const at = event.at - origin;
  if (event.kind === 'probe') {
    return { ...event, at, startedAt: event.startedAt - origin, finishedAt: event.finishedAt - origin };
  }
  if (event.kind === 'hang') return { ...event, at, since: event.since - origin };
  return { ...event, at };
}
