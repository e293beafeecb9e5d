import { expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { keepsLayersWithin } from './mount-tables.ts';
import {
  adding,
  type Break,
  consumer,
  cutAt,
  podTable,
  recovered,
  snapshot,
  where,
  without,
} from './sample-history.ts';

const line = '43 41 0:60 / /data ro - fuse.jindofs-fuse jindofs rw';
const other = '44 41 0:60 / /data/cache ro - fuse.jindofs-fuse jindofs rw';
const noLine = podTable().filter((text) => !text.includes(' /data '));
const end = (lines: readonly string[]) => adding(snapshot(950, where, 'after', lines));
const same: Break = (history) => history;

it.each<[string, Break, number, string, string]>([
  ['passes on one mount', same, 1, 'pass', '1, 1 FUSE mounts at /data, in 1 crashes'],
  ['passes on two where two may be', end([...podTable(), line]), 2, 'pass', '1, 1, 2 FUSE mounts'],
  ['fails on two where one may be', end([...podTable(), line]), 1, 'fail', '1, 1, 2 FUSE mounts'],
  [
    'fails on three that were seen once',
    adding(snapshot(500, where, 'between', [...podTable(), line, line])),
    2,
    'fail',
    '3',
  ],
  ['fails where none is left', end(noLine), 2, 'fail', 'no FUSE mount is left at /data'],
  ['counts no mount below the path', end([...podTable(), other]), 1, 'pass', '1, 1, 1 FUSE mounts'],
  ['does not tell without a table after the crash', cutAt(800), 2, 'inconclusive', 'has no mount table "after"'],
  [
    'does not tell without a crash',
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
