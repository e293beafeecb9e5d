import { expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { agentRunsOn } from './agent-runs-on.ts';

const process = (role: 'agent' | 'daemon', change: 'started' | 'exited'): HistoryEvent => ({
  kind: 'process',
  at: 1,
  role,
  name: role,
  change,
});

it('an agent that ends is found, a daemon that ends is none', () => {
  const good = [process('agent', 'started'), process('daemon', 'exited')];
  expect(agentRunsOn(good)).toMatchObject({ verdict: 'pass' });
  expect(agentRunsOn([...good, { ...process('agent', 'exited'), signal: 'SIGABRT' } as HistoryEvent])).toMatchObject({
    verdict: 'fail',
    says: 'agent ended with SIGABRT',
  });
});
