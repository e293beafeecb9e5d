import { suite } from './check-suite.ts';
import { readsNoWrongData } from './reads.ts';
import { broken, consumer, cutAt, failing } from './sample-history.ts';

suite('the pod never reads wrong data', (timeline) => readsNoWrongData(timeline, consumer), [
  ['passes where no checksum differs', broken(), 'pass', 'no read returned other bytes in'],
  [
    'fails on one wrong read in the outage',
    broken(failing(300, 305, 'EBADSUM')),
    'fail',
    '1 operation got EBADSUM; first, read (open) got EBADSUM 101 ms after',
  ],
  ['fails on one wrong read before it', broken(failing(50, 55, 'EBADSUM')), 'fail', '149 ms before the crash'],
  ['is inconclusive where the probe stopped at the crash', broken(cutAt(204)), 'inconclusive', 'no read after crash 1'],
]);
