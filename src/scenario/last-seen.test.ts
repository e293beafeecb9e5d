import { expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { lastSeen } from './last-seen.ts';

const probe = (result: string): HistoryEvent => ({
  kind: 'probe',
  at: 1,
  probe: 'ns/demo-app/demo:/data',
  op: 'read',
  startedAt: 1,
  finishedAt: 2,
  result,
});
const event = (reason: string): HistoryEvent => ({
  kind: 'event',
  at: 1,
  type: 'Warning',
  reason,
  message: 'why',
  object: 'Pod ns/demo-app',
  count: 1,
});

it('the message of a timeout names the last result of each probe and the last few other events', () => {
  expect(lastSeen([])).toBe('nothing happened at all');
  expect(lastSeen([probe('ok'), event('FailedMount'), probe('ENOTCONN')])).toBe(
    'ns/demo-app/demo:/data read ENOTCONN; event Warning FailedMount on Pod ns/demo-app: why',
  );
  const many = lastSeen(['A', 'B', 'C', 'D', 'E'].map(event));
  expect([many.includes('Warning A'), many.includes('Warning B'), many.includes('Warning E')]).toEqual([
    false,
    true,
    true,
  ]);
});
