import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { startsAfterDaemon } from './pod-lifecycle.ts';
import { consumer, daemon, done, mounted, ms, podTable, type Row, snapshot, volume, where } from './sample-history.ts';

describe('a container starts on a living volume', () => {
  const started = (at: number): HistoryEvent => ({
    kind: 'process',
    at: at * ms,
    role: 'container',
    name: where,
    change: 'started',
  });
  const ready = [done(0, 'new-pod'), daemon(100, 'ready')];
  const shown = snapshot(300, where, 'started', podTable());
  const foreign = { ...mounted(150, 'node'), fstype: 'ext4' } as HistoryEvent;
  const bare = snapshot(300, where, 'started', podTable().slice(0, 1));
  it.each<Row>([
    ['passes after the daemon', [...ready, started(200), shown], 'pass', '100 ms after the daemon was ready'],
    ['fails before it', [...ready, started(50), shown], 'fail', 'before the daemon was ready'],
    ['fails without it', [done(0, 'new-pod'), started(50), shown], 'fail', 'before the daemon was ready'],
    ['fails where it does not start', [...ready, shown], 'fail', 'was not started'],
    ['fails on another filesystem at the target path', [...ready, foreign, started(200), shown], 'fail', 'type ext4'],
    ['fails where nothing is mounted', [...ready, started(200), bare], 'fail', 'is no mount'],
    ['is inconclusive without the table', [...ready, started(200)], 'inconclusive', 'not known'],
  ])('%s', (_, history, verdict, says) => {
    expect(startsAfterDaemon(new Timeline(history), { consumer, volume, fault: 'new-pod' })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});
