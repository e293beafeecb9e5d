import { expect, it } from 'vitest';
import { renderBench } from './html.ts';
import type { Conditions } from './record.ts';
import { sampleBench, sampleSeries } from './sample-bench.ts';
import { benchText } from './text.ts';

const alone: Conditions = { fault: 'sigkill', pods: 1, datasets: 1, rate: 1000, pacingMs: 50 };

it.each<[string, Conditions, string]>([
  ['one pod and all the CPU wait for the pause only', alone, 'pauses of 0 to 100 ms'],
  ['many pods wait for the agent, too', { ...alone, pods: 10 }, 'pauses of 0 to 100 ms, then until the agent is idle'],
  [
    'an agent with little CPU is waited for, too',
    { ...alone, agentCpuMillis: 200 },
    'pauses of 0 to 100 ms, then until the agent is idle; agent held to 200m CPU',
  ],
])('%s, and print and page say so', (_, conditions, says) => {
  const record = sampleBench({ series: [sampleSeries({ conditions })] });
  const [line = ''] = benchText(record).filter((one) => one.includes('to warm up'));
  expect(line).toMatch(new RegExp(`ms; ${says}$`));
  const intro = renderBench(record).match(/<p class="intro">[^<]*to warm up[^<]*/)?.[0] ?? '';
  expect(intro).toContain(`${says}. `);
});
