import { expect, it } from 'vitest';
import { Timeline } from '../timeline/timeline.ts';
import { suite } from './check-suite.ts';
import { keepsMountTableSteady } from './mount-tables.ts';
import { adding, broken, consumer, cutAt, fault, nodeTable, podTable, snapshot, where } from './sample-history.ts';

const steadyWith = (mountsBeneath: boolean) => (timeline: Timeline) =>
  keepsMountTableSteady(timeline, { consumers: [consumer], before: 'before', after: 'after', mountsBeneath });
const steady = steadyWith(true);
const onePlus = [...podTable(), '43 41 0:60 / /data ro - fuse.jindofs-fuse jindofs rw'];

suite('the mount table of an agent that stacks grows by one line at most', steadyWith(false), [
  [
    'passes on one line more in the pod',
    broken(adding(snapshot(950, where, 'after', onePlus))),
    'pass',
    '1 more allowed: without MOVE_MOUNT_BENEATH',
  ],
  [
    'fails on two lines more',
    broken(adding(snapshot(950, where, 'after', [...onePlus, ...onePlus.slice(-1)]))),
    'fail',
    `${where}: 3 lines before, 5 after`,
  ],
]);

suite('the mount table does not grow', steady, [
  [
    'passes where node and pod have as many lines',
    broken(),
    'pass',
    `node: 3 lines before, 3 after; ${where}: 3 lines before, 3 after`,
  ],
  [
    'fails on one line more in the pod',
    broken(adding(snapshot(950, where, 'after', onePlus))),
    'fail',
    `${where}: 3 lines before, 4 after`,
  ],
  [
    'fails on one line more on the node',
    broken(adding(snapshot(950, 'node', 'after', [...nodeTable(), 'x']))),
    'fail',
    'node: 3 lines before, 4 after',
  ],
  ['is inconclusive without the table after', broken(cutAt(899)), 'inconclusive', 'no mount table "after"'],
  [
    'is inconclusive where a table could not be read',
    broken(adding(snapshot(950, where, 'after', []))),
    'inconclusive',
    'no mount table "after"',
  ],
]);

it('counts what was there before the first fault, of pods that came one after the other', () => {
  const more = [...nodeTable(), '50 20 0:62 / /x rw - tmpfs tmpfs rw'];
  const history = [
    snapshot(1, 'node', 'before', nodeTable()),
    snapshot(2, 'node', 'before', more),
    snapshot(2, where, 'before', podTable()),
    fault(3),
    snapshot(4, 'node', 'after', more),
    snapshot(4, where, 'after', podTable()),
  ];
  const steady = { consumers: [consumer], before: 'before', after: 'after', mountsBeneath: true };
  expect(keepsMountTableSteady(new Timeline(history), steady).verdict).toBe('pass');
});
