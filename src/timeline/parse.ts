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

/** A stored run that cannot be read. The message names the file, the position in it and the problem. */
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
 * @throws UnreadableRun if either is empty, cut off, of another schema version, or violates the schemas of `record.ts`
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
  if (!parsed.success) throw new UnreadableRun(describeProblems('record.json: ', parsed.error, value));
  const contradiction = findContradiction(parsed.data);
  if (contradiction) throw new UnreadableRun([`record.json: ${contradiction}; it was changed after the run`]);
  return parsed.data;
}

export function parseHistory(historyNdjson: string): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const reader = createHistoryReader((event) => events.push(event));
  reader.add(historyNdjson);
  reader.end();
  return events;
}

/** Parses a history chunk by chunk, as it comes from a file. */
export interface HistoryReader {
  /** @throws UnreadableRun at the first line that is wrong */
  add(chunk: string): void;
  /** @throws UnreadableRun if the last line was cut off */
  end(): void;
}

export function createHistoryReader(onEvent: (event: HistoryEvent) => void): HistoryReader {
  let rest = '';
  let line = 0;
  return {
    add(chunk) {
      let from = 0;
      for (let newline = chunk.indexOf('\n'); newline >= 0; newline = chunk.indexOf('\n', from)) {
        const source = rest === '' ? chunk.slice(from, newline) : rest + chunk.slice(from, newline);
        rest = '';
        line++;
        if (source !== '') onEvent(parseEvent(source, line, false));
        from = newline + 1;
      }
      rest += chunk.slice(from);
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
  if (!parsed.success) throw new UnreadableRun(describeProblems(`${where}: `, parsed.error, value));
  return parsed.data;
}

function parseJson(source: string, problem: () => string): unknown {
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new UnreadableRun([problem()], { cause });
  }
}

/** The first few problems of a value as sentences, each with a prefix. */
export function describeProblems(prefix: string, error: z.ZodError, value: object): string[] {
  const problems = error.issues.map((issue) => `${prefix}${formatPath(issue.path)}${describeIssue(issue, value)}`);
  const more = problems.length - shownProblems;
  return more > 0 ? [...problems.slice(0, shownProblems), `${prefix}and ${more} more`] : problems;
}

/** `scenarios[3].status: `; empty for the value itself. */
function formatPath(path: readonly PropertyKey[]): string {
  const dotted = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return dotted === '' ? '' : `${dotted.replace(/^\./, '')}: `;
}

function describeIssue(issue: z.core.$ZodIssue, value: object): string {
  const found = findValue(issue.path, value);
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}; it is ${found}`;
  if (issue.code === 'invalid_union') return `is not known; it is ${found}`;
  if (issue.code === 'invalid_type') {
    return found === 'undefined'
      ? `is missing; a ${issue.expected} belongs there`
      : `must be a ${issue.expected}; it is ${found}`;
  }
  return issue.message;
}

function findValue(path: readonly PropertyKey[], value: object): string {
  let found: unknown = value;
  for (const part of path) found = (found as Record<PropertyKey, unknown> | undefined)?.[part];
  const json = JSON.stringify(found) ?? 'undefined';
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
