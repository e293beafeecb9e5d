import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { endsInTime } from './pod-lifecycle.ts';
import { consumer, done, ms, nodeTable, type Row, snapshot, targetPath, volume } from './sample-history.ts';

describe('a deleted pod is gone in time', () => {
  const removed = (at: number): HistoryEvent => ({
    kind: 'kubelet',
    at: at * ms,
    event: 'pod-removed',
    pod: 'default/demo-app',
  });
  const ending = { consumer, volume, fault: 'drain', graceMs: 50 };
  const empty = nodeTable().slice(0, 2);
  it.each<Row>([
    ['passes within its time', [done(0, 'drain'), removed(5000), snapshot(5100, 'node', 'x', empty)], 'pass', '5.00 s'],
    ['fails where it takes longer', [done(0, 'drain'), removed(5100)], 'fail', '5.05 s are allowed'],
    ['fails where it never goes', [done(0, 'drain')], 'fail', 'was never gone'],
    [
      'fails on a mount that stays',
      [done(0, 'drain'), removed(9), snapshot(10, 'node', 'x', nodeTable())],
      'fail',
      targetPath,
    ],
    ['is inconclusive without the table', [done(0, 'drain'), removed(9)], 'inconclusive', 'not known'],
    ['is inconclusive where nothing was deleted', [removed(9)], 'inconclusive', 'not deleted'],
  ])('%s', (_, history, verdict, says) => {
    expect(endsInTime(new Timeline(history), ending)).toMatchObject({ verdict, says: expect.stringContaining(says) });
  });
});
