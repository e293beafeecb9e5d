import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRecord, parseRun } from '../timeline/parse.ts';
import type { Run, RunRecord } from '../timeline/record.ts';

/** Reads the record of a run from its folder, such as `results/latest`. @throws UnreadableRun, and errors of `readFile` */
export async function readRecord(folder: string): Promise<RunRecord> {
  return parseRecord(await readFile(join(folder, 'record.json'), 'utf8'));
}

/** Reads the record and the history of a run, for the report functions. @throws as `readRecord` */
export async function readRun(folder: string): Promise<Run> {
  const [record, history] = await Promise.all(
    ['record.json', 'history.ndjson'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  return parseRun(record ?? '', history ?? '');
}
