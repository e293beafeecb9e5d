import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { readsAgain, readsNoWrongData, seesNoEmptyDirectory, seesNoError } from './reads.ts';
import { suite } from './testing/check-suite.ts';
import {
  adding,
  beats,
  broken,
  type CheckRow,
  consumer,
  cutAt,
  daemon,
  done,
  failing,
  fault,
  hang,
  left,
  ms,
  podTable,
  type SampleHistory,
  snapshot,
  where,
  without,
} from './testing/sample-history.ts';

suite('the pod reads again', (timeline) => readsAgain(timeline, consumer), [
  [
    'passes with ten good operations and more',
    broken(),
    'pass',
    'first good read came 201 ms after the crash, and all 120',
  ],
  ['fails if errors last', left(), 'fail', 'the last operation failed: stat (open) got ENOTCONN'],
  ['fails if it breaks again', broken(failing(900, 1000, 'EIO')), 'fail', 'got EIO'],
  [
    'fails on a call that never comes back',
    broken(adding(hang(800, 2900, false))),
    'fail',
    'began 600 ms after the crash',
  ],
  ['passes if a call is still in flight', broken(adding(hang(800, 950, false))), 'pass', 'were good'],
  ['is inconclusive with nine good operations', broken(cutAt(440)), 'inconclusive', 'only 9 of 10'],
  ['passes with ten', broken(cutAt(445)), 'pass', 'all 10 operations'],
  [
    'is inconclusive if the pod saw no error',
    broken(failing(205, 400, 'ok')),
    'inconclusive',
    'nothing to recover from',
  ],
  ['is inconclusive if only slots were charged', broken(charged), 'inconclusive', 'only 1 of 10'],
  [
    'judges the last of two crashes',
    broken(adding(fault(1000), daemon(1000.5, 'exited'), ...beats({ from: 1005, to: 1100, result: 'ENOTCONN' }))),
    'fail',
    '96.0 ms after the crash',
  ],
]);

/** All operations after 405 ms take the result of the one before them, which blocked. */
function charged(history: HistoryEvent[]): SampleHistory {
  const end = 1001 * ms;
  return history.map((event) =>
    event.kind === 'probe' && event.at > 400 * ms ? { ...event, startedAt: end, finishedAt: end } : event,
  );
}

suite('the pod never sees an empty directory', (timeline) => seesNoEmptyDirectory(timeline, consumer), [
  ['passes if every listing held the files', broken(), 'pass', 'no file was missing'],
  ['fails on one empty listing', broken(failing(310, 315, 'EEMPTY')), 'fail', '1 operation got EEMPTY'],
  ['fails on a file that does not exist', broken(failing(300, 305, 'ENOENT')), 'fail', 'ENOENT'],
  [
    'passes if another fault precedes a crash during which a read hangs',
    broken(adding(done(190, 'agent-kill'), hang(195, 330, true))),
    'pass',
    'no file was missing',
  ],
  [
    'is inconclusive without a listing after the crash',
    broken(without((event) => event.kind === 'probe' && event.op === 'list' && event.at > 200 * ms)),
    'inconclusive',
    'no list after crash 1',
  ],
  [
    'is inconclusive without any listing',
    broken(without((event) => event.kind === 'probe' && event.op === 'list')),
    'inconclusive',
    'no list after crash 1',
  ],
]);

suite('a probe that does not list', (timeline) => seesNoEmptyDirectory(timeline, consumer, false), [
  [
    'passes by its reads',
    broken(without((event) => event.kind === 'probe' && event.op === 'list')),
    'pass',
    'no file was missing in',
  ],
  ['fails on a file that does not exist', broken(failing(300, 305, 'ENOENT')), 'fail', 'ENOENT'],
]);

suite('the pod never reads wrong data', (timeline) => readsNoWrongData(timeline, consumer), [
  ['passes if no checksum differs', broken(), 'pass', 'no read returned other bytes in'],
  [
    'fails on one wrong read in the outage',
    broken(failing(300, 305, 'EBADSUM')),
    'fail',
    '1 operation got EBADSUM; first, read (open) got EBADSUM 101 ms after',
  ],
  ['fails on one wrong read before it', broken(failing(50, 55, 'EBADSUM')), 'fail', '149 ms before the crash'],
  ['is inconclusive if the probe stopped at the crash', broken(cutAt(204)), 'inconclusive', 'no read after crash 1'],
]);

const hung = [done(200, 'hang'), ...beats({ from: 0, to: 200 }), snapshot(100, where, 'before', podTable())];
const goesOn = [done(3000, 'hang', 'healed'), ...beats({ from: 3005, to: 3100 })];

describe('the pod waits, and sees no error', () => {
  it.each<CheckRow>([
    ['passes if every operation returns', [...hung, ...goesOn], 'pass', 'operations were good after the fault'],
    ['fails on an error', failing(3050, 3055, 'ENOTCONN')([...hung, ...goesOn]), 'fail', 'ENOTCONN'],
    ['fails on what never comes back', [...hung, hang(210, 400, false), ...goesOn], 'fail', 'never came back'],
    ['passes if one is still in flight', [...hung, ...goesOn, hang(3050, 3150, false)], 'pass', 'good'],
    ['is inconclusive if nothing was done', hung, 'inconclusive', 'did nothing'],
  ])('%s', (_, history, verdict, says) => {
    expect(seesNoError(new Timeline(history), consumer)).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});

describe('a crash that the next one overtakes', () => {
  // Between the crashes at 200 and 300 ms a single read is in flight.
  const read = beats({ from: 205, to: 210, result: 'ECONNABORTED' })[0] as HistoryEvent & { kind: 'probe' };
  const overtaken = (startedAt: number, finishedAt: number) => [
    ...broken(without(({ kind, at }) => kind === 'probe' && at > 200 * ms && at < 400 * ms)),
    fault(300),
    daemon(300.5, 'exited'),
    { ...read, startedAt: startedAt * ms, finishedAt: finishedAt * ms },
    ...beats({ from: 305, to: 400, result: 'ENOTCONN' }),
  ];

  it('needs no listing of its own if an operation blocked the probe until then', () => {
    expect(seesNoEmptyDirectory(new Timeline(overtaken(205, 301)), consumer).verdict).toBe('pass');
  });

  it('needs one if the probe had time', () => {
    expect(seesNoEmptyDirectory(new Timeline(overtaken(205, 299)), consumer).says).toContain('no list after crash 1');
  });
});
