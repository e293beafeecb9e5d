import type { CheckRecord } from '../timeline/record.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';

/** What the agent's process tree holds of its own (RssAnon), looked at every so many crashes, from the first few on. */
export interface MemoryUse {
  readonly samples: readonly number[];
  readonly crashes: number;
}

/** What is left of a collector's mood once the lowest of many samples are compared. */
const toleratedBytes = 6e6;
const fewest = 8;

/**
 * However many crashes there were, the agent holds no more than after the first quarter of them, in which what it may remember is
 * filled (1,024 events, above all). Garbage that is not collected yet comes and goes, so the lowest of the second and the third
 * part are compared.
 */
export function keepsMemorySteady(use: MemoryUse): CheckRecord {
  return concluded({ name: 'the agent’s memory does not grow', claims: [] }, judge(use));
}

function judge({ samples, crashes }: MemoryUse): Finding {
  if (samples.length < fewest) return inconclusive(`looked at ${samples.length} times only`);
  const warm = samples.slice(Math.floor(samples.length / 4));
  const half = Math.ceil(warm.length / 2);
  const early = Math.min(...warm.slice(0, half));
  const late = Math.min(...warm.slice(half));
  const says = `anonymous ${megabytes(samples[0])} at first, ${megabytes(samples.at(-1))} after ${crashes} crashes; lowest in the middle ${megabytes(early)}, in the end ${megabytes(late)}, in ${samples.length} looks`;
  return late - early > toleratedBytes ? fail(says) : pass(says);
}

const megabytes = (bytes = 0) => `${(bytes / 1e6).toFixed(1)} MB`;
