import { describe, expect, it } from 'vitest';
import { Timeline } from '../timeline/timeline.ts';
import { showsOneFilesystem } from './mount-tables.ts';
import { consumer, nodeTable, podTable, type Row, snapshot, volume, where } from './sample-history.ts';

describe('the target path and the container', () => {
  const other = nodeTable().map((line) => line.replace('0:60', '0:61'));
  it.each<Row>([
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
