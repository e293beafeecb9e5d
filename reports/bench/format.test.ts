import { expect, it } from 'vitest';
import { requestText } from './format.ts';
import { renderBench } from './html.ts';
import type { Conditions } from './record.ts';
import { sampleBench, sampleSeries } from './testing/sample-bench.ts';
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

it('reports requests for each crash, and those at rest for each hour', () => {
  expect(
    requestText({
      during: { 'create events': 60, 'get pods': 30 },
      crashes: 30,
      idle: { during: { 'watch pods': 1 }, overMs: 60_000 },
    }),
  ).toEqual([
    '  API requests: 3.0 a crash (create events 2.0, get pods 1.0); none of them a list',
    '  at rest: 1 in 60 s (watch pods 1), so 60 an hour',
  ]);
});

it('reports lists, which no pass may make, and that nothing was requested at rest', () => {
  expect(requestText({ during: { 'list pods': 4 }, crashes: 2, idle: { during: {}, overMs: 60_000 } })).toEqual([
    '  API requests: 2.0 a crash (list pods 2.0); lists 4',
    '  at rest: 0 in 60 s, so 0 an hour',
  ]);
});
