import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import {
  keepsInnerMount,
  keepsLayersWithin,
  keepsMountTableSteady,
  showsDaemonsMount,
  showsOneFilesystem,
} from './mount-tables.ts';
import { suite } from './testing/check-suite.ts';
import {
  adding,
  type Break,
  beats,
  broken,
  type CheckRow,
  consumer,
  cutAt,
  fault,
  nodeTable,
  podTable,
  recovered,
  snapshot,
  volume,
  where,
  without,
} from './testing/sample-history.ts';

const tokenMount = (uid: string, name: string) =>
  `50 20 0:70 / /var/lib/kubelet/pods/${uid}-1111-1111-1111-111111111111/volumes/kubernetes.io~projected/kube-api-access-${name} rw - tmpfs tmpfs rw`;
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
    'passes if node and pod have as many lines as before',
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
  [
    'passes if a pod was replaced, whose token is a volume of another name',
    [
      ...broken(without((event) => event.kind === 'snapshot' && event.where === 'node')),
      snapshot(100, 'node', 'before', [...nodeTable(), tokenMount('11111111', 'abcde')]),
      snapshot(950, 'node', 'after', [...nodeTable(), tokenMount('22222222', 'x9htk')]),
    ],
    'pass',
    'node: 4 lines before, 4 after',
  ],
  [
    'fails on one mount more though another one went',
    broken(
      adding(
        snapshot(
          950,
          where,
          'after',
          onePlus.filter((line) => !line.includes('tmpfs')),
        ),
      ),
    ),
    'fail',
    '1 more at /data (fuse.jindofs-fuse)',
  ],
  ['is inconclusive without the table after', broken(cutAt(899)), 'inconclusive', 'no mount table "after"'],
  [
    'is inconclusive if a table could not be read',
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

const line = '43 41 0:60 / /data ro - fuse.jindofs-fuse jindofs rw';
const other = '44 41 0:60 / /data/cache ro - fuse.jindofs-fuse jindofs rw';
const noLine = podTable().filter((text) => !text.includes(' /data '));
const end = (lines: readonly string[]) => adding(snapshot(950, where, 'after', lines));
const same: Break = (history) => history;

it.each<[string, Break, number, string, string]>([
  ['passes on one mount', same, 1, 'pass', '1, 1 FUSE mounts at /data, in 1 crashes'],
  ['passes on two if two are allowed', end([...podTable(), line]), 2, 'pass', '1, 1, 2 FUSE mounts'],
  ['fails on two if one is allowed', end([...podTable(), line]), 1, 'fail', '1, 1, 2 FUSE mounts'],
  [
    'fails on three that were seen once',
    adding(snapshot(500, where, 'between', [...podTable(), line, line])),
    2,
    'fail',
    '3',
  ],
  ['fails if none is left', end(noLine), 2, 'fail', 'no FUSE mount is left at /data'],
  ['counts no mount below the path', end([...podTable(), other]), 1, 'pass', '1, 1, 1 FUSE mounts'],
  ['is inconclusive without a table after the crash', cutAt(800), 2, 'inconclusive', 'has no mount table "after"'],
  [
    'is inconclusive without a crash',
    without((event: HistoryEvent) => event.kind !== 'snapshot'),
    2,
    'inconclusive',
    'no fault',
  ],
])('a check of layers %s', (_what, change, most, verdict, says) => {
  const history = change(recovered());
  expect(keepsLayersWithin(new Timeline(history), { consumer, most, after: 'after' })).toMatchObject({
    verdict,
    says: expect.stringContaining(says),
  });
});

describe('the target path and the container', () => {
  const other = nodeTable().map((line) => line.replace('0:60', '0:61'));
  it.each<CheckRow>([
    [
      'show the same filesystem',
      [snapshot(1, 'node', 'x', nodeTable()), snapshot(1, where, 'x', podTable())],
      'pass',
      '0:60',
    ],
    ['do not', [snapshot(1, 'node', 'x', other), snapshot(1, where, 'x', podTable())], 'fail', '0:61'],
    ['are not known', [snapshot(1, 'node', 'x', nodeTable())], 'inconclusive', 'not known'],
    [
      'have lost the container’s',
      [snapshot(1, 'node', 'x', nodeTable()), snapshot(1, where, 'x', ['40 1 0:50 / / rw - overlay o rw'])],
      'fail',
      'nothing is mounted at /data',
    ],
  ])('%s', (_, history, verdict, says) => {
    expect(showsOneFilesystem(new Timeline(history), { consumer, volume })).toMatchObject({
      verdict,
      says: expect.stringContaining(says),
    });
  });
});

const inner = (timeline: Timeline) =>
  keepsInnerMount(timeline, { consumer, innerPath: '/data/cache', before: 'before', after: 'after' });
const table = (line: string) => [...podTable().slice(0, 2), line];

suite('the volume mounted below survives', inner, [
  ['passes if it is the same and seen', broken(), 'pass', '/data/cache is still /cache of device 0:55'],
  [
    'passes with a probe that reads it at the end',
    broken(
      adding(
        ...beats({ from: 205, to: 400, result: 'ENOTCONN', path: '/data/cache' }),
        ...beats({ from: 400, to: 500, path: '/data/cache' }),
      ),
    ),
    'pass',
    '20 operations on it were good',
  ],
  [
    'fails if it is gone',
    broken(adding(snapshot(950, where, 'after', podTable().slice(0, 2)))),
    'fail',
    'nothing is mounted at /data/cache any more',
  ],
  [
    'fails if another filesystem is there',
    broken(adding(snapshot(950, where, 'after', table('42 41 0:56 / /data/cache rw - tmpfs tmpfs rw')))),
    'fail',
    'and is / of 0:56',
  ],
  [
    'fails if the new mount hides it',
    broken(
      adding(snapshot(950, where, 'after', [...podTable(), '43 41 0:61 / /data ro - fuse.jindofs-fuse jindofs rw'])),
    ),
    'fail',
    'hidden by the mount at /data',
  ],
  [
    'fails if a probe of it fails at the end',
    broken(adding(...beats({ from: 205, to: 400, result: 'ENOTCONN', path: '/data/cache' }))),
    'fail',
    'the last operation on default/demo-app/demo:/data/cache failed',
  ],
  ['is inconclusive without the table after', broken(cutAt(899)), 'inconclusive', 'before and after'],
  [
    'is inconclusive if nothing was mounted below',
    broken(
      without((event) => event.kind === 'snapshot' && event.label === 'before'),
      adding(snapshot(100, where, 'before', podTable().slice(0, 2))),
    ),
    'inconclusive',
    'nothing was mounted at /data/cache before',
  ],
]);

it('sees the inner volume on the top mount while the dead mount below keeps its own', () => {
  const stacked = [
    ...podTable(),
    '43 41 0:61 / /data ro - fuse.jindofs-fuse jindofs rw',
    '44 43 0:55 /cache /data/cache rw,relatime - tmpfs tmpfs rw',
  ];
  const history = [...recovered(), snapshot(950, where, 'after', stacked)];
  const inner = { consumer, innerPath: '/data/cache', before: 'before', after: 'after' };
  expect(keepsInnerMount(new Timeline(history), inner).verdict).toBe('pass');
  const hidden = [...recovered(), snapshot(950, where, 'after', stacked.slice(0, -1))];
  expect(keepsInnerMount(new Timeline(hidden), inner).verdict).toBe('fail');
});

const seen = (lines: readonly string[]): Break => adding(snapshot(950, where, 'after', lines));
const replacing = (from: string, to: string) => podTable().map((line) => line.replace(from, to));

/** The source mount of a second node, whose table is joined to that of the first one. */
const otherNode = nodeTable()
  .slice(0, 2)
  .map((line) => line.replace('20 1', '70 1').replace('30 20 0:60', '80 70 0:77'));
const coveringSource =
  '33 30 0:78 / /runtime-mnt/jindo/default/demo-dataset/jindofs-fuse rw - fuse.jindofs-fuse jindofs rw';

suite('the pod sees the mount of the daemon', (timeline) => showsDaemonsMount(timeline, { consumer, volume }), [
  ['passes if the pod shows the source mount', broken(), 'pass', '/data is / of a fuse.jindofs-fuse, device 0:60'],
  [
    'fails on a copy of the data',
    broken(seen(replacing('fuse.jindofs-fuse', 'tmpfs'))),
    'fail',
    'was / of a fuse.jindofs-fuse and is / of a tmpfs',
  ],
  ['fails on another directory of it', broken(seen(replacing('0:60 /', '0:60 /logs'))), 'fail', 'and is /logs of a'],
  [
    'fails on the mount of another daemon',
    broken(seen(replacing('0:60', '0:77'))),
    'fail',
    'is device 0:77, and the daemon serves device 0:60',
  ],
  [
    'passes if the daemon of another node serves another device',
    broken(adding(snapshot(950, 'node', 'after', [...otherNode, ...nodeTable()]))),
    'pass',
    'device 0:60',
  ],
  [
    'fails on the mount that covers the source',
    broken(adding(snapshot(950, 'node', 'after', [...nodeTable(), coveringSource]))),
    'fail',
    'the daemon serves device 0:78',
  ],
  ['fails if nothing is mounted', broken(seen(podTable().slice(0, 1))), 'fail', 'nothing is mounted at /data'],
  [
    'fails on the device of the crashed daemon if the source is elsewhere',
    broken(without((event) => event.kind === 'snapshot' && event.where === 'node')),
    'fail',
    'still device 0:60',
  ],
  [
    'is inconclusive without a table from before',
    broken(without((event) => event.kind === 'snapshot' && event.label === 'before')),
    'inconclusive',
    'not known before and after',
  ],
]);
