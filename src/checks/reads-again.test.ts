import type { HistoryEvent } from '../timeline/record.ts';
import { suite } from './check-suite.ts';
import { readsAgain } from './reads.ts';
import {
  adding,
  beats,
  broken,
  consumer,
  cutAt,
  daemon,
  failing,
  fault,
  type History,
  hang,
  left,
  ms,
} from './sample-history.ts';

suite('the pod reads again', (timeline) => readsAgain(timeline, consumer), [
  [
    'passes with ten good operations and more',
    broken(),
    'pass',
    'first good read came 201 ms after the crash, and all 120',
  ],
  ['fails where errors last', left(), 'fail', 'the last operation failed: stat (open) got ENOTCONN'],
  ['fails where it breaks again', broken(failing(900, 1000, 'EIO')), 'fail', 'got EIO'],
  [
    'fails on a call that never comes back',
    broken(adding(hang(800, 950, false))),
    'fail',
    'began 600 ms after the crash',
  ],
  ['is inconclusive with nine good operations', broken(cutAt(440)), 'inconclusive', 'only 9 of 10'],
  ['passes with ten', broken(cutAt(445)), 'pass', 'all 10 operations'],
  [
    'is inconclusive where the pod saw no error',
    broken(failing(205, 400, 'ok')),
    'inconclusive',
    'nothing to recover from',
  ],
  ['is inconclusive where only slots were charged', broken(charged), 'inconclusive', 'only 1 of 10'],
  [
    'judges the last of two crashes',
    broken(adding(fault(1000), daemon(1000.5, 'exited'), ...beats({ from: 1005, to: 1100, result: 'ENOTCONN' }))),
    'fail',
    '96.0 ms after the crash',
  ],
]);

/** All operations after 405 ms take the result of the one before them, which blocked. */
function charged(history: HistoryEvent[]): History {
  const end = 1001 * ms;
  return history.map((event) =>
    event.kind === 'probe' && event.at > 400 * ms ? { ...event, startedAt: end, finishedAt: end } : event,
  );
}
