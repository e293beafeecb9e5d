import type { CheckRecord } from '../../reports/record.ts';
import { concluded, fail, pass } from './finding.ts';

/** Memory of the agent's process tree that is its own (RssAnon), early in a long run and at its end. */
export interface MemoryUse {
  readonly first: number;
  readonly last: number;
  readonly crashes: number;
}

/** Garbage that has not been collected yet comes and goes; a leak of a kilobyte a crash is more after 30,000 of them. */
const toleratedBytes = 30e6;

/** However many crashes there were, the agent holds no more memory than after the first few. */
export function keepsMemorySteady({ first, last, crashes }: MemoryUse): CheckRecord {
  const title = { name: 'the agent’s memory does not grow', claims: [] };
  const says = `anonymous ${megabytes(first)} after the first crashes, ${megabytes(last)} after ${crashes}`;
  return concluded(title, last - first > toleratedBytes ? fail(says) : pass(says));
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
