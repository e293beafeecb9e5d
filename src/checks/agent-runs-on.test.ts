import { expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { agentRunsOn } from './agent-process.ts';

const process = (role: 'agent' | 'daemon', change: 'started' | 'exited'): HistoryEvent => ({
  kind: 'process',
  at: 1,
  role,
  name: role,
  change,
});

it('an agent that ends is found, a daemon that ends is none', () => {
  const ended = { ...process('agent', 'exited'), signal: 'SIGABRT' } as HistoryEvent;
  const good = [process('agent', 'started'), process('daemon', 'exited')];
  expect(agentRunsOn(new Timeline(good))).toMatchObject({ verdict: 'pass' });
  expect(agentRunsOn(new Timeline([...good, ended]))).toMatchObject({
    verdict: 'fail',
    says: 'agent ended with SIGABRT',
  });
});
