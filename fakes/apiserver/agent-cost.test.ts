import { expect, it } from 'vitest';
import { type AgentCosts, measureAgentCost } from './testing/agent-cost.ts';

const sizes = async (allVolumes: boolean): Promise<readonly AgentCosts[]> => [
  await measureAgentCost({ foreign: 5, pods: 10, allVolumes }),
  await measureAgentCost({ foreign: 50, pods: 10, allVolumes }),
];

it('costs the same in a cluster that is ten times larger', async () => {
  const [small, large] = await sizes(false);
  expect(large?.watched).toBe(small?.watched);
  expect(large?.watched).toBe(10);
  for (const phase of ['start', 'crash', 'idleHour'] as const) {
    expect([phase, large?.[phase].requests]).toEqual([phase, small?.[phase].requests]);
    // Versions in the bodies have more digits if there are more objects.
    expect((large?.[phase].bytes ?? 0) / (small?.[phase].bytes ?? 0)).toBeCloseTo(1, 1);
  }
  // One for each pod that waits and each that is recovered, one for the dataset, and the dataset's uid.
  expect(small?.crash.requests).toBe(22);
});

it('watches all volumes, and nothing else of other nodes, if the scope is the cluster', async () => {
  const [small, large] = await sizes(true);
  expect([small?.watched, large?.watched]).toEqual([10 + 5 + 1, 10 + 50 + 1]);
  expect(large?.crash.requests).toBe(small?.crash.requests);
  expect(large?.start.requests).toBe(small?.start.requests);
});
