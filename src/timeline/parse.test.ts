import { describe, expect, it } from 'vitest';
import { parseHistory, parseRecord, parseRun, UnreadableRun } from './parse.ts';
import { sampleRun } from './testing/sample-run.ts';

const run = sampleRun({ operations: 60 });
const recordJson = JSON.stringify(run.record);
const historyNdjson = run.history.map((event) => `${JSON.stringify(event)}\n`).join('');

type Draft = { [key: string]: unknown; scenarios: { [key: string]: unknown }[] };
function recordWith(change: (draft: Draft) => void): string {
  const draft = JSON.parse(recordJson) as Draft;
  change(draft);
  return JSON.stringify(draft);
}

function problemOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof UnreadableRun) return error.message;
    throw error;
  }
  return 'was read';
}

describe('parseRun', () => {
  it('gives back the run that was written', () => {
    expect(parseRun(recordJson, historyNdjson)).toEqual(run);
  });

  it('takes an empty history, and blank lines', () => {
    expect(parseHistory('')).toEqual([]);
    expect(parseHistory('\n\n')).toEqual([]);
  });

  it.each<[string, string]>([
    ['', 'record.json: is empty'],
    [recordJson.slice(0, 500), 'record.json: cut in the middle'],
    ['{"a": nothing}', 'record.json: is not JSON'],
    ['[]', 'record.json: is not an object'],
    ['{}', 'record.json: has no schema version, so it is no record of a run'],
    [
      recordWith((draft) => {
        draft.schema = 'rekindle.record/2';
      }),
      'record.json: was written as "rekindle.record/2"; this version reads rekindle.record/1 only',
    ],
    [
      recordWith((draft) => {
        Object.assign(draft.scenarios[3] ?? {}, { status: 'green' });
      }),
      'record.json: scenarios[3].status: must be one of pass, fail, inconclusive, skipped; it is "green"',
    ],
    [
      recordWith((draft) => {
        draft.verdict = 'pass';
      }),
      'record.json: its verdict is pass, but its scenarios (1 failed, 1 inconclusive, 6 passed, 2 skipped) make it fail; it was changed after the run',
    ],
    [
      recordWith((draft) => {
        delete draft.seed;
      }),
      'record.json: seed: is missing; a number belongs there',
    ],
    [
      recordWith((draft) => {
        draft.seed = '7';
      }),
      'record.json: seed: must be a number; it is "7"',
    ],
  ])('names what is wrong in %.40s', (source, problem) => {
    expect(problemOf(() => parseRecord(source))).toBe(problem);
  });

  it.each<[string, string]>([
    [`${historyNdjson}{"at": 12, "ki`, `history.ndjson line ${run.history.length + 1}: cut in the middle`],
    [`nonsense\n${historyNdjson}`, 'history.ndjson line 1: is not JSON'],
    ['12\n', 'history.ndjson line 1: is not an object'],
    ['{"kind":"weather","at":1}\n', 'history.ndjson line 1: kind: is not known; it is "weather"'],
    ['{"kind":"note","text":"a"}\n', 'history.ndjson line 1: at: is missing; a number belongs there'],
    [
      '{"kind":"probe","at":1,"probe":"p","op":"write","startedAt":1,"finishedAt":2,"result":"ok"}\n',
      'history.ndjson line 1: op: must be one of list, stat, read; it is "write"',
    ],
  ])('names the line of the history that is wrong', (source, problem) => {
    expect(problemOf(() => parseHistory(source))).toBe(problem);
  });

  it('names the first few of many problems', () => {
    const source = recordWith((draft) => {
      for (const scenario of draft.scenarios) scenario.line = 'twelve';
    });
    expect(problemOf(() => parseRecord(source)).split('\n')).toHaveLength(6);
    expect(problemOf(() => parseRecord(source))).toContain('and 5 more');
  });
});
