import { readFile } from 'node:fs/promises';
import { parseHistory } from '../parse.ts';
import type { HistoryEvent } from '../record.ts';

export interface StoredHistory {
  /** In the order of the file. */
  readonly events: readonly HistoryEvent[];
  /** Whether the last line was cut, as it is where a run was killed; that line is left out. */
  readonly cut: boolean;
}

/** Reads a history file. @throws UnreadableRun where another line than a cut last one is wrong. */
export async function readHistory(path: string): Promise<StoredHistory> {
  const text = await readFile(path, 'utf8');
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  return { events: parseHistory(complete), cut: complete.length < text.length };
}
