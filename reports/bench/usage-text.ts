import { count } from '../../src/timeline/verdict.ts';
import type { BenchSeries } from './record.ts';

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Memory and CPU of the agent's process tree; undefined of an arm without an agent that recovers, or where nobody looked. */
export function usageText({ agent, arm, conditions, crashes, stopped }: BenchSeries): string | undefined {
  if (agent === undefined || (arm !== 'agent' && arm !== 'rekindle')) return undefined;
  const { first, last, overMs } = agent;
  const cpu = last.cpuMs - first.cpuMs;
  const all = Math.max(1, new Set(crashes.map(({ crash }) => crash)).size);
  const aCrash = `${(cpu / all).toFixed(1)} ms a crash${conditions.freshPods ? ' and its fresh pod' : ''}`;
  // The last look was at the last crash only where nothing stopped it before.
  const used = [
    ...(stopped === undefined ? [aCrash] : []),
    `${((100 * cpu) / Math.max(1, overMs)).toFixed(1)} % of a core`,
  ];
  const processes = count(last.processes, 'process', 'processes');
  const memory = `anonymous memory ${megabytes(first.anonymousBytes)} first, ${megabytes(last.anonymousBytes)} last`;
  return `(${processes}): ${memory}; resident ${megabytes(last.residentBytes)}${overMs > 0 ? `; CPU ${used.join(', ')}` : ''}`;
}
