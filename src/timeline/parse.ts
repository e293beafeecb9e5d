import type { z } from 'zod';
import {
  type HistoryEvent,
  historyEvent,
  isProbeEvent,
  type Run,
  type RunRecord,
  recordSchema,
  runRecord,
} from './record.ts';
import { findContradiction } from './verdict.ts';

/** A stored run that cannot be read. The message names the file, the place in it and what is wrong there. */
export class UnreadableRun extends Error {
  readonly code = 'UNREADABLE_RUN';
  /** One sentence each, the first few. */
  readonly problems: readonly string[];
  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options);
    this.problems = problems;
  }
}

const shownProblems = 5;

/**
 * A run from the text of its two files.
 * @throws UnreadableRun where either is empty, cut, of another schema version, or not of the shape of `record.ts`.
 */
export function parseRun(recordJson: string, historyNdjson: string): Run {
  return { record: parseRecord(recordJson), history: parseHistory(historyNdjson) };
}

export function parseRecord(recordJson: string): RunRecord {
  if (recordJson.trim() === '') throw new UnreadableRun(['record.json: is empty']);
  const value = parseJson(recordJson, () => {
    const cut = recordJson.trimStart().startsWith('{') && !recordJson.trimEnd().endsWith('}');
    return `record.json: ${cut ? 'cut in the middle' : 'is not JSON'}`;
  });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UnreadableRun(['record.json: is not an object']);
  }
  const { schema } = value as { schema?: unknown };
  if (schema !== recordSchema) {
    const found =
      schema === undefined
        ? 'has no schema version, so it is no record of a run'
        : `was written as ${JSON.stringify(schema)}; this version reads ${recordSchema} only`;
    throw new UnreadableRun([`record.json: ${found}`]);
  }
  const parsed = runRecord.safeParse(value);
  if (!parsed.success) throw new UnreadableRun(sentences('record.json: ', parsed.error, value));
  const contradiction = findContradiction(parsed.data);
  if (contradiction) throw new UnreadableRun([`record.json: ${contradiction}; it was changed after the run`]);
  return parsed.data;
}

export function parseHistory(historyNdjson: string): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const reader = createHistoryReader((event) => events.push(event));
  reader.take(historyNdjson);
  reader.end();
  return events;
}

/** Takes a history piece by piece, as it comes from a file, and hands on each event. */
export interface HistoryReader {
  /** @throws UnreadableRun at the first line that is wrong. */
  take(piece: string): void;
  /** @throws UnreadableRun where the last line was cut. */
  end(): void;
}

export function createHistoryReader(onEvent: (event: HistoryEvent) => void): HistoryReader {
  let rest = '';
  let line = 0;
  return {
    take(piece) {
      let from = 0;
      for (let newline = piece.indexOf('\n'); newline >= 0; newline = piece.indexOf('\n', from)) {
        const source = rest === '' ? piece.slice(from, newline) : rest + piece.slice(from, newline);
        rest = '';
        line++;
        if (source !== '') onEvent(parseEvent(source, line, false));
        from = newline + 1;
      }
      rest += piece.slice(from);
    },
    end() {
      if (rest !== '') onEvent(parseEvent(rest, line + 1, true));
      rest = '';
    },
  };
}

function parseEvent(source: string, line: number, last: boolean): HistoryEvent {
  const where = `history.ndjson line ${line}`;
  const value = parseJson(source, () => `${where}: ${last ? 'cut in the middle' : 'is not JSON'}`);
  if (typeof value !== 'object' || value === null) throw new UnreadableRun([`${where}: is not an object`]);
  if (isProbeEvent(value)) return value;
  const parsed = historyEvent.safeParse(value);
  if (!parsed.success) throw new UnreadableRun(sentences(`${where}: `, parsed.error, value));
  return parsed.data;
}

function parseJson(source: string, problem: () => string): unknown {
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new UnreadableRun([problem()], { cause });
  }
}

/** What is wrong with a value, the first few complaints; each begins with `prefix`. */
export function sentences(prefix: string, error: z.ZodError, value: object): string[] {
  const problems = error.issues.map((issue) => `${prefix}${pathOf(issue.path)}${complaint(issue, value)}`);
  const more = problems.length - shownProblems;
  return more > 0 ? [...problems.slice(0, shownProblems), `${prefix}and ${more} more`] : problems;
}

/** `scenarios[3].status: `; nothing for the whole. */
function pathOf(path: readonly PropertyKey[]): string {
  const dotted = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return dotted === '' ? '' : `${dotted.replace(/^\./, '')}: `;
}

function complaint(issue: z.core.$ZodIssue, value: object): string {
  const found = valueAt(issue.path, value);
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}; it is ${found}`;
  if (issue.code === 'invalid_union') return `is not known; it is ${found}`;
  if (issue.code === 'invalid_type') {
    return found === 'undefined'
      ? `is missing; a ${issue.expected} belongs there`
      : `must be a ${issue.expected}; it is ${found}`;
  }
  return issue.message;
}

function valueAt(path: readonly PropertyKey[], value: object): string {
  let found: unknown = value;
  for (const part of path) found = (found as Record<PropertyKey, unknown> | undefined)?.[part];
  const json = JSON.stringify(found) ?? 'undefined';
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
