import { seesNoOtherError, seesTheOutage } from './outage.ts';
import { suite } from './testing/check-suite.ts';
import { adding, broken, consumer, cutAt, daemon, failing, fault, hang } from './testing/sample-history.ts';

const newest = '7.3.4';

suite('before Linux 6.19, the pod sees the outage', (timeline) => seesTheOutage(timeline, consumer, '6.18.5'), [
  ['passes on EIO of the call that the kill cut off', broken(failing(205, 210, 'EIO')), 'pass', '1 EIO'],
  ['fails on EIO of a second call', broken(failing(205, 215, 'EIO')), 'fail', '(open) got EIO 11.0 ms'],
  ['fails on EIO of a later read', broken(failing(300, 305, 'EIO')), 'fail', '(open) got EIO'],
]);

suite('the pod sees the outage', (timeline) => seesTheOutage(timeline, consumer, newest), [
  ['passes on EIO of a cached read', broken(failing(205, 210, 'EIO')), 'pass', '38 operations got ENOTCONN, 1 EIO'],
  ['fails on EIO of an open', broken(failing(300, 305, 'EIO')), 'fail', '(open) got EIO'],
  ['passes on ENOTCONN and ECONNABORTED', broken(), 'pass', '38 operations got ENOTCONN, 1 ECONNABORTED'],
  ['fails on a file that is gone', broken(failing(300, 305, 'ENOENT')), 'fail', 'got ENOENT 101 ms after the crash'],
  ['fails on an empty directory', broken(failing(310, 315, 'EEMPTY')), 'fail', 'list (open) got EEMPTY'],
  ['fails on other bytes after the recovery', broken(failing(700, 705, 'EBADSUM')), 'fail', 'EBADSUM'],
  [
    'fails if the pod saw nothing',
    broken(failing(205, 400, 'ok')),
    'fail',
    'saw no error after crash 1 of 1 (sigkill)',
  ],
  ['fails on an error before the crash', broken(failing(100, 105, 'ENOTCONN')), 'fail', 'before the crash'],
  ['fails on a call that never comes back', broken(adding(hang(300, 2400, false))), 'fail', 'never came back'],
  ['passes on a call that is still in flight', broken(adding(hang(300, 400, false))), 'pass', 'one crash'],
  [
    'passes on a call that comes back late',
    broken(adding(hang(300, 400, false), hang(300, 450, true))),
    'pass',
    'one crash',
  ],
  [
    'is inconclusive if the probe stopped at the crash',
    broken(cutAt(204)),
    'inconclusive',
    'did nothing after crash 1',
  ],
  [
    'is inconclusive on the second crash if the history is cut before it shows',
    broken(adding(fault(1000), daemon(1000.5, 'exited'))),
    'inconclusive',
    'after crash 2',
  ],
]);

suite('the pod sees no other error', (timeline) => seesNoOtherError(timeline, consumer, newest), [
  ['passes on the errors of a dead connection', broken(), 'pass', 'none of 199 operations got one'],
  ['fails on a permission that is missing', broken(failing(500, 505, 'EACCES')), 'fail', 'got EACCES 301 ms after'],
  ['fails on a file that is gone', broken(failing(300, 305, 'ENOENT')), 'fail', '1 operation got ENOENT'],
]);
