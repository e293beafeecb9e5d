import { suite } from './check-suite.ts';
import { seesNoEmptyDirectory } from './reads.ts';
import { adding, broken, consumer, done, failing, hang, ms, without } from './sample-history.ts';

suite('the pod never sees an empty directory', (timeline) => seesNoEmptyDirectory(timeline, consumer), [
  ['passes where every listing held the files', broken(), 'pass', 'no listing lacked a file'],
  ['fails on one empty listing', broken(failing(310, 315, 'EEMPTY')), 'fail', '1 operation got EEMPTY'],
  ['fails on a file that does not exist', broken(failing(300, 305, 'ENOENT')), 'fail', 'ENOENT'],
  [
    'passes where another fault came right before the crash that a read under way then hung in',
    broken(adding(done(190, 'agent-kill'), hang(195, 330, true))),
    'pass',
    'no listing lacked a file',
  ],
  [
    'is inconclusive without a listing after the crash',
    broken(without((event) => event.kind === 'probe' && event.op === 'list' && event.at > 200 * ms)),
    'inconclusive',
    'no list after crash 1',
  ],
]);
