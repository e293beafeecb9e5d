import { expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { agentRunsOn, keepsMemorySteady } from './agent-process.ts';

const process = (role: 'agent' | 'daemon', change: 'started' | 'exited'): HistoryEvent => ({
  kind: 'process',
  at: 1,
  role,
  name: role,
  change,
});

it('fails if the agent ends, not if a daemon ends', () => {
  const ended = { ...process('agent', 'exited'), signal: 'SIGABRT' } as HistoryEvent;
  const good = [process('agent', 'started'), process('daemon', 'exited')];
  expect(agentRunsOn(new Timeline(good))).toMatchObject({ verdict: 'pass' });
  expect(agentRunsOn(new Timeline([...good, ended]))).toMatchObject({
    verdict: 'fail',
    says: 'agent ended with SIGABRT',
  });
});

const garbage = (index: number) => (index % 5) * 4e6;
const run = (grows: number) => Array.from({ length: 40 }, (_, index) => 60e6 + index * grows + garbage(index));
const fills = run(0).map((bytes, index) => bytes + Math.min(index, 8) * 1e6);

it.each([
  ['as much as at first, and garbage', run(0), 'pass'],
  ['what it may remember, and then no more', fills, 'pass'],
  ['a little more with each crash', run(0.5e6), 'fail'],
  ['something, but was hardly looked at', run(0).slice(0, 3), 'inconclusive'],
] as const)('an agent that holds %s', (_, samples, verdict) => {
  expect(keepsMemorySteady({ samples, crashes: 1000 })).toMatchObject({ verdict });
});
