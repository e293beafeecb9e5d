import type { CheckRecord } from '../../reports/record.ts';
import { concluded, type Finding, fail, inconclusive, pass } from './finding.ts';

/** What the agent's process tree holds of its own (RssAnon), looked at every so many crashes, from the first few on. */
export interface MemoryUse {
  readonly samples: readonly number[];
  readonly crashes: number;
}

/** What is left of a collector's mood once the lowest of many samples are compared. */
const toleratedBytes = 6e6;
const fewest = 4;

/**
 * However many crashes there were, the agent holds no more than after the first of them: garbage that is not collected yet
 * comes and goes, so the lowest of the second half is compared with the lowest of the first.
 */
export function keepsMemorySteady(use: MemoryUse): CheckRecord {
  return concluded({ name: 'the agent’s memory does not grow', claims: [] }, judge(use));
}

function judge({ samples, crashes }: MemoryUse): Finding {
  if (samples.length < fewest) return inconclusive(`looked at ${samples.length} times only`);
  const half = Math.ceil(samples.length / 2);
  const early = Math.min(...samples.slice(0, half));
  const late = Math.min(...samples.slice(half));
  const says = `anonymous ${megabytes(samples[0])} at first, ${megabytes(samples.at(-1))} after ${crashes} crashes; lowest of the first half ${megabytes(early)}, of the second ${megabytes(late)}, in ${samples.length} looks`;
  return late - early > toleratedBytes ? fail(says) : pass(says);
}

const megabytes = (bytes = 0) => `${(bytes / 1e6).toFixed(1)} MB`;
