import { expect, it } from 'vitest';
import { Timeline } from '../timeline/timeline.ts';
import { suite } from './check-suite.ts';
import { keepsInnerMount } from './mount-tables.ts';
import {
  adding,
  beats,
  broken,
  consumer,
  cutAt,
  podTable,
  recovered,
  snapshot,
  where,
  without,
} from './sample-history.ts';

const inner = (timeline: Timeline) =>
  keepsInnerMount(timeline, { consumer, innerPath: '/data/cache', before: 'before', after: 'after' });
const table = (line: string) => [...podTable().slice(0, 2), line];

suite('the volume mounted below survives', inner, [
  ['passes where it is the same and seen', broken(), 'pass', '/data/cache is still /cache of device 0:55'],
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
    'fails where it is gone',
    broken(adding(snapshot(950, where, 'after', podTable().slice(0, 2)))),
    'fail',
    'nothing is mounted at /data/cache any more',
  ],
  [
    'fails where another filesystem is there',
    broken(adding(snapshot(950, where, 'after', table('42 41 0:56 / /data/cache rw - tmpfs tmpfs rw')))),
    'fail',
    'and is / of 0:56',
  ],
  [
    'fails where the new mount hides it',
    broken(
      adding(snapshot(950, where, 'after', [...podTable(), '43 41 0:61 / /data ro - fuse.jindofs-fuse jindofs rw'])),
    ),
    'fail',
    'hidden by the mount at /data',
  ],
  [
    'fails where a probe of it fails at the end',
    broken(adding(...beats({ from: 205, to: 400, result: 'ENOTCONN', path: '/data/cache' }))),
    'fail',
    'the last operation on default/demo-app/demo:/data/cache failed',
  ],
  ['is inconclusive without the table after', broken(cutAt(899)), 'inconclusive', 'before and after'],
  [
    'is inconclusive where nothing was mounted below',
    broken(
      without((event) => event.kind === 'snapshot' && event.label === 'before'),
      adding(snapshot(100, where, 'before', podTable().slice(0, 2))),
    ),
    'inconclusive',
    'nothing was mounted at /data/cache before',
  ],
]);

it('sees the volume inside the mount on top, where the dead one below keeps its own', () => {
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
