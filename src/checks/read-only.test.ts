import { suite } from './check-suite.ts';
import { staysReadOnly } from './read-only.ts';
import {
  adding,
  broken,
  consumer,
  left,
  mounted,
  nodeTable,
  podTable,
  snapshot,
  volume,
  where,
  without,
} from './sample-history.ts';

suite('the volume is read-only', (timeline) => staysReadOnly(timeline, { consumer, volume }), [
  ['passes where every mount has ro', broken(), 'pass', 'all 6 mounts that were seen had ro, 4 of them after'],
  [
    'fails on a writable mount in the pod',
    broken(adding(mounted(394, where, 'rw,nosuid'))),
    'fail',
    '1 of 7 mounts were writable: /data (default/demo-app/demo) with rw,nosuid',
  ],
  ['fails on a writable target path', broken(adding(mounted(394, 'node', 'rw,rootcontext=ro'))), 'fail', '(node)'],
  [
    'fails on a writable line of the table at the end',
    broken(adding(snapshot(950, where, 'after', podTable('rw')))),
    'fail',
    'with rw',
  ],
  [
    'is inconclusive where the pod’s mounts are not known',
    broken(without((event) => 'where' in event && event.where === where)),
    'inconclusive',
    'seen on the pod',
  ],
  [
    'is inconclusive where nothing was mounted after the crash',
    left(adding(snapshot(100, 'node', 'before', nodeTable()))),
    'inconclusive',
    'after the crash',
  ],
]);
