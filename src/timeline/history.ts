import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { HistoryUnwritable, openLineFile } from './line-file.ts';
import { createHistoryReader, parseHistory } from './parse.ts';
import type { HistoryEvent } from './record.ts';

export interface HistoryOptions {
  /** The file, with one event a line; must not exist. The caller creates the folder and removes both. */
  readonly path: string;
  /** The beginning of the run in CLOCK_MONOTONIC nanoseconds; subtracted from every time. */
  readonly origin: number;
  /** Called once, at the first write that fails. `flush` and `close` reject with the same error. */
  readonly onUnwritable?: (error: HistoryUnwritable) => void;
}

/** All events of a run: append-only, on one clock, in memory for the checks and on disk for the reports. */
export interface History extends AsyncDisposable {
  /** Adds an event with absolute times. Never throws: the event is kept in memory even if the disk is full. */
  append(event: HistoryEvent): void;
  /** Assigns later events to this scenario, or to none. */
  enter(scenario: string | undefined): void;
  /** All events, in order of arrival, times since `origin`. */
  readonly events: readonly HistoryEvent[];
  /** The events of one scenario in order of time; always the same list, which grows. */
  ofScenario(scenario: string): readonly HistoryEvent[];
  /** Now, in nanoseconds since `origin`. */
  now(): number;
  /** Resolves once everything is written. @throws HistoryUnwritable */
  flush(): Promise<void>;
  /** Writes the rest and closes the file. @throws HistoryUnwritable */
  close(): Promise<void>;
}

/** @throws HistoryUnwritable if the file cannot be created */
export async function openHistory({ path, origin, onUnwritable }: HistoryOptions): Promise<History> {
  const file = await openLineFile(path, onUnwritable);
  const events: HistoryEvent[] = [];
  const byScenario = new Map<string, HistoryEvent[]>();
  const scenarioEvents = (scenario: string) => {
    const known = byScenario.get(scenario) ?? [];
    byScenario.set(scenario, known);
    return known;
  };
  let current: string | undefined;
  return {
    append(event) {
      const kept = { ...sinceOrigin(event, origin), ...(current !== undefined && { scenario: current }) };
      events.push(kept);
      if (current !== undefined) insertInOrder(scenarioEvents(current), kept);
      file.line(JSON.stringify(kept));
    },
    enter(scenario) {
      current = scenario;
    },
    events,
    ofScenario: scenarioEvents,
    now: () => Number(process.hrtime.bigint()) - origin,
    flush: () => file.flush(),
    close: () => file.close(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Orders by time, then by arrival. A probe's events arrive a few milliseconds late, so the search starts at the end. */
function insertInOrder(events: HistoryEvent[], event: HistoryEvent): void {
  let position = events.length;
  while (position > 0 && (events[position - 1]?.at ?? 0) > event.at) position--;
  events.splice(position, 0, event);
}

/** Subtracts the origin from each time of an event, but not from durations. */
function sinceOrigin(event: HistoryEvent, origin: number): HistoryEvent {
  const at = event.at - origin;
  if (event.kind === 'probe') {
    return { ...event, at, startedAt: event.startedAt - origin, finishedAt: event.finishedAt - origin };
  }
  if (event.kind === 'hang') return { ...event, at, since: event.since - origin };
  return { ...event, at };
}

export interface StoredHistory {
  /** In the order of the file. */
  readonly events: readonly HistoryEvent[];
  /** Whether the last line was cut off, as after a run was killed; that line is left out. */
  readonly cut: boolean;
}

/** Reads a history file. @throws UnreadableRun if a line is wrong, other than a last one that was cut off */
export async function readHistory(path: string): Promise<StoredHistory> {
  const text = await readFile(path, 'utf8');
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  return { events: parseHistory(complete), cut: complete.length < text.length };
}

/**
 * Joins histories that share a clock into one file, byte by byte, and removes them. Resolves with all of their events. Those of each
 * runner stay in their order of arrival, in which checks saw them. `discarded`: ids of scenarios by part, whose events are left out.
 */
export async function joinHistories(
  parts: readonly string[],
  whole: string,
  discarded: ReadonlyMap<string, readonly string[]> = new Map(),
): Promise<readonly HistoryEvent[]> {
  try {
    await writeFile(whole, '');
    for (const part of parts.filter((path) => existsSync(path))) {
      const bytes = await readFile(part);
      // A runner that was killed may leave half a line.
      const complete = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
      await appendFile(whole, withoutScenarios(complete, discarded.get(part)));
      await rm(part);
    }
  } catch (error) {
    throw new HistoryUnwritable(whole, error as NodeJS.ErrnoException);
  }
  return (await readHistory(whole)).events;
}

function withoutScenarios(lines: Buffer, ids: readonly string[] = []): string | Buffer {
  if (ids.length === 0) return lines;
  const kept = lines.toString('utf8').split('\n');
  return kept.filter((line) => line === '' || !ids.includes(JSON.parse(line).scenario)).join('\n');
}

const chunkBytes = 1 << 20;

/**
 * Reads a history file chunk by chunk: a million operations are 250 MB on disk. The events come in the order of the file.
 * @throws UnreadableRun if a line is wrong or the last one was cut off
 */
export function forEachEvent(path: string, onEvent: (event: HistoryEvent) => void): void {
  const reader = createHistoryReader(onEvent);
  const decoder = new StringDecoder('utf8');
  const chunk = Buffer.allocUnsafe(chunkBytes);
  const file = openSync(path, 'r');
  try {
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      reader.add(decoder.write(chunk.subarray(0, length)));
    }
    reader.add(decoder.end());
    reader.end();
  } finally {
    closeSync(file);
  }
}
