import type { Conditions } from './record.ts';

/**
 * With many pods, or little CPU, the agent goes on reading and telling after the last pod reads; a crash meanwhile would be charged
 * with that. So under such conditions each crash waits until the agent is idle, or for as long as a crash is waited for.
 */
export function waitsForIdleAgent({ pods, agentCpuMillis }: Conditions): boolean {
  return pods > 1 || agentCpuMillis !== undefined;
}

/** What comes before each crash, and what the agent has to do with, in words. */
export function pacingText(conditions: Conditions): string {
  const { pacingMs, agentCpuMillis, freshPods } = conditions;
  return [
    ...(freshPods ? ['a fresh FUSE pod before each, for which the kubelet has no back-off yet'] : []),
    `pauses of 0 to ${2 * pacingMs} ms${waitsForIdleAgent(conditions) ? ', then until the agent is idle' : ''}`,
    ...(agentCpuMillis === undefined ? [] : [`agent held to ${agentCpuMillis}m CPU`]),
  ].join('; ');
}
