import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { isReadOnlyEverywhere, isReadOnlyInPod, staysReadOnly } from './read-only.ts';
import { suite } from './testing/check-suite.ts';
import {
  adding,
  type Break,
  broken,
  consumer,
  cutAt,
  left,
  mounted,
  nodeTable,
  podTable,
  recovered,
  snapshot,
  targetPath,
  volume,
  where,
  without,
} from './testing/sample-history.ts';

suite('the volume is read-only', (timeline) => staysReadOnly(timeline, { consumer, volume }), [
  ['passes if every mount has ro', broken(), 'pass', 'all 6 mounts that were seen had ro, 4 of them after'],
  [
    'fails on a writable mount in the pod',
    broken(adding(mounted(394, where, 'rw,nosuid'))),
    'fail',
    '1 of 7 mounts were writable: /data (default/demo-app/demo) with rw,nosuid',
  ],
  [
    'passes on a mount without ro of a filesystem that is read-only itself',
    broken(adding({ ...mounted(394, where, 'rw,nosuid'), readOnlySuperblock: true } as HistoryEvent)),
    'pass',
    'all 7 mounts',
  ],
  ['fails on a writable target path', broken(adding(mounted(394, 'node', 'rw,rootcontext=ro'))), 'fail', '(node)'],
  [
    'fails on a writable line of the table at the end',
    broken(adding(snapshot(950, where, 'after', podTable('rw')))),
    'fail',
    'with rw',
  ],
  [
    'is inconclusive if the pod’s mounts are not known',
    broken(without((event) => 'where' in event && event.where === where)),
    'inconclusive',
    'seen on the pod',
  ],
  [
    'is inconclusive if nothing was mounted after the crash',
    left(
      without((event) => event.kind === 'snapshot' && event.label === 'watched'),
      adding(snapshot(100, 'node', 'before', nodeTable())),
    ),
    'inconclusive',
    'after the crash',
  ],
]);

const same: Break = (history) => history;

it.each<[string, Break, string, string]>([
  [
    'passes if all mounts in the pod had ro',
    same,
    'pass',
    'all 3 mounts that were seen had ro, 1 of them after the crash',
  ],
  ['fails on one that had not, for a moment', adding(mounted(395, where, 'rw,nosuid')), 'fail', 'with rw,nosuid'],
  ['fails on one in a table', adding(snapshot(950, where, 'after', podTable('rw'))), 'fail', 'with rw'],
  ['ignores the node', adding(mounted(395, 'node', 'rw')), 'pass', 'had ro'],
  ['is inconclusive without a crash', cutAt(150), 'inconclusive', 'no fault'],
  [
    'is inconclusive if no mount was seen to be made',
    without((event) => event.kind === 'mount'),
    'inconclusive',
    'no mount of the volume was seen to be made after the crash',
  ],
])('a check for read-only mounts in a pod %s', (_what, change, verdict, says) => {
  expect(isReadOnlyInPod(new Timeline(change(recovered())), consumer)).toMatchObject({
    verdict,
    says: expect.stringContaining(says),
  });
});

const seen = (mountPoint: string, options: string, namespace = 'mnt:[1]'): HistoryEvent => ({
  kind: 'output',
  at: 0,
  program: 'attributes',
  stream: 'stdout',
  text: JSON.stringify({ event: 'mount', namespace, line: `9 8 0:50 / ${mountPoint} ${options} - fuse.x jindo rw` }),
});

const good = [
  seen('/runtime-mnt/jindo/default/demo-dataset/jindofs-fuse', 'rw,nosuid'),
  seen(targetPath, 'ro,nosuid'),
  seen('/data', 'ro,nosuid', 'mnt:[2]'),
];

const judge = (history: readonly HistoryEvent[]) =>
  isReadOnlyEverywhere(new Timeline(history), { consumer, volume, program: 'attributes' });

describe('isReadOnlyEverywhere', () => {
  it('passes if all mounts but the daemon’s own have ro', () => {
    expect(judge(good)).toMatchObject({ verdict: 'pass', claims: ['L2'] });
  });

  it.each([
    ['the target path', targetPath],
    ['the pod', '/data'],
    ['an unexpected path', '/tmp/staging'],
  ])('fails if a mount at %s was writable once', (_, mountPoint) => {
    expect(judge([...good, seen(mountPoint, 'rw,nosuid', 'mnt:[3]')]).verdict).toBe('fail');
  });

  it('is inconclusive if the pod or the node was not scanned', () => {
    expect(judge(good.slice(0, 2)).verdict).toBe('inconclusive');
    expect(judge([]).verdict).toBe('inconclusive');
  });
});
