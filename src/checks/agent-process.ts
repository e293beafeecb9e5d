import type { Timeline } from '../timeline/timeline.ts';
import { defineCheck, fail, inconclusive, pass } from './check.ts';

/** In the whole scenario no process of the agent ends: whatever its input is, it neither crashes nor needs a restart. */
export const agentRunsOn = defineCheck(
  { name: 'the node agent runs all the time', claims: [] },
  (timeline: Timeline) => {
    const end = timeline.ofKind('process').find(({ role, change }) => role === 'agent' && change === 'exited');
    if (end === undefined) return pass('no process of it ended');
    return fail(`${end.name} ended with ${end.signal ?? `status ${end.exitCode ?? '?'}`}`);
  },
);

/** Anonymous memory (RssAnon) of the agent's process tree in bytes, sampled at regular intervals of crashes from the first few on. */
export interface MemoryUse {
  readonly samples: readonly number[];
  readonly crashes: number;
}

/** Garbage that even the lowest of many samples may still hold. */
const toleratedBytes = 6e6;
const fewestSamples = 8;

/**
 * The agent holds no more memory in the end than after the first quarter of the crashes, which fill its bounded stores (1,024
 * events, above all). Uncollected garbage comes and goes, so the lowest samples of the second and the third part are compared.
 */
export const keepsMemorySteady = defineCheck(
  { name: 'the agent’s memory does not grow', claims: [] },
  ({ samples, crashes }: MemoryUse) => {
    if (samples.length < fewestSamples) return inconclusive(`only ${samples.length} samples were taken`);
    const warm = samples.slice(Math.floor(samples.length / 4));
    const half = Math.ceil(warm.length / 2);
    const early = Math.min(...warm.slice(0, half));
    const late = Math.min(...warm.slice(half));
    const sentence = `anonymous ${megabytes(samples[0])} at first, ${megabytes(samples.at(-1))} after ${crashes} crashes; lowest in the middle ${megabytes(early)}, at the end ${megabytes(late)}, in ${samples.length} samples`;
    return late - early > toleratedBytes ? fail(sentence) : pass(sentence);
  },
);

const megabytes = (bytes = 0) => `${(bytes / 1e6).toFixed(1)} MB`;
