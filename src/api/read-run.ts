import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRecord, parseRun } from '../timeline/parse.ts';
import type { Run, RunRecord } from '../timeline/record.ts';

/** The record of the run in a folder, as in `results/latest`. @throws UnreadableRun, or what `readFile` throws */
export async function readRecord(folder: string): Promise<RunRecord> {
  return parseRecord(await readFile(join(folder, 'record.json'), 'utf8'));
}

/** The record and all that happened, for the report functions. @throws as `readRecord` */
export async function readRun(folder: string): Promise<Run> {
  const [record, history] = await Promise.all(
    ['record.json', 'history.ndjson'].map((name) => readFile(join(folder, name), 'utf8')),
  );
  return parseRun(record ?? '', history ?? '');
}
