import { expect, it } from 'vitest';
import type { KeptEvent } from '../../src/timeline/digest.ts';
import { changes, mountLanes, mountTables } from './mounts.ts';

const snapshot = (at: number, label: string, ...lines: readonly string[]): KeptEvent => ({
  kind: 'snapshot',
  at,
  where: 'node',
  label,
  lines,
});
const mount = (at: number, change: 'added' | 'removed', id: number): KeptEvent => ({
  kind: 'mount',
  at,
  where: 'node',
  change,
  id,
  device: `0:${id}`,
  mountPoint: '/m',
  fstype: 'fuse.jindofs-fuse',
  options: 'ro',
});

it('marks lines that came and lines that went, also where a line stands twice', () => {
  expect(changes({ lines: ['a', 'b', 'b'] }, { lines: ['a', 'b', 'c'] })).toEqual([
    ['−', 'b'],
    ['', 'a'],
    ['', 'b'],
    ['+', 'c'],
  ]);
});

it('shows the table before, what came and went, and what is different after; other lines are counted', () => {
  const before = '30 24 0:30 / /m ro - fuse.jindofs-fuse jindofs-fuse ro';
  const after = before.replaceAll('30', '31');
  const root = '24 1 0:22 / / rw - tmpfs tmpfs rw';
  const events = [
    snapshot(1e9, 'before', root, before),
    mount(2.1e9, 'added', 31),
    mount(2.1e9, 'removed', 30),
    snapshot(3e9, 'after', root, after),
  ];
  const crash = { fault: 'f', volume: 'v', pod: 'n/p', crash: 2e9, errors: {}, longestStallNs: 0, probeRate: 1 };
  expect(
    mountTables({ events }, [crash], { startedAt: 0, finishedAt: 4e9 }).map(({ lines, others }) => ({ lines, others })),
  ).toEqual([
    { lines: [['', before]], others: 1 },
    {
      lines: [
        ['+', '100.0 ms: 31 0:31 /m ro - fuse.jindofs-fuse'],
        ['−', '100.0 ms: 30 0:30 /m ro - fuse.jindofs-fuse'],
      ],
      others: 0,
    },
    {
      lines: [
        ['−', before],
        ['+', after],
      ],
      others: 1,
    },
  ]);
});

it('distinguishes the source mount of a standby from the ordinary one', () => {
  const paths = ['/runtime-mnt/jindo/ns/demo/jindofs-fuse', '/runtime-mnt/jindo/ns/demo/standby-0/jindofs-fuse'];
  const events = paths.map((mountPoint, at) => ({ ...mount(at, 'added', at), mountPoint }) as KeptEvent);
  const lanes = mountLanes(events, { from: 0, to: 1, zero: 0 });
  expect(lanes.map(({ name }) => name)).toEqual(['Source on the node', 'Source of standby-0']);
});
