import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import { isReadOnlyEverywhere } from './read-only.ts';
import { consumer, targetPath, volume } from './sample-history.ts';

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
  it('passes where all mounts but the daemon’s own have ro', () => {
    expect(judge(good)).toMatchObject({ verdict: 'pass', claims: ['L2'] });
  });

  it.each([
    ['the target path', targetPath],
    ['the pod', '/data'],
    ['a place that nobody thought of', '/tmp/staging'],
  ])('fails where a mount at %s was writable once', (_, mountPoint) => {
    expect(judge([...good, seen(mountPoint, 'rw,nosuid', 'mnt:[3]')]).verdict).toBe('fail');
  });

  it('does not tell where the pod or the node was not looked at', () => {
    expect(judge(good.slice(0, 2)).verdict).toBe('inconclusive');
    expect(judge([]).verdict).toBe('inconclusive');
  });
});
