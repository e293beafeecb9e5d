import { describe, expect, it } from 'vitest';
import { generationsIn, nextGeneration } from './generations.ts';

const line = (mountPoint: string) => `100 1 0:50 / ${mountPoint} ro shared:9 - fuse.jindofs-fuse jindofs-fuse ro`;

describe('the generations of a sidecar’s mounts', () => {
  it('are found in the mount table, the oldest first, with what was stacked on them', () => {
    const table = ['/jfs/.generations/10', '/jfs/.generations/9', '/jfs/.generations/9', '/jfs/jindofs-fuse', '/x']
      .map(line)
      .join('\n');
    expect(generationsIn(table, '/jfs')).toEqual([
      { path: '/jfs/.generations/9', layers: 2 },
      { path: '/jfs/.generations/10', layers: 1 },
    ]);
  });

  it('begin at 1 and are counted on', () => {
    expect(nextGeneration([], '/jfs').path).toBe('/jfs/.generations/1');
    expect(nextGeneration([{ path: '/jfs/.generations/41', layers: 2 }], '/jfs').path).toBe('/jfs/.generations/42');
  });

  it('are eight at most: the oldest goes for the next', () => {
    const eight = Array.from({ length: 8 }, (_, index) => ({ path: `/jfs/.generations/${index + 1}`, layers: 2 }));
    expect(nextGeneration(eight, '/jfs')).toEqual({
      path: '/jfs/.generations/9',
      keep: eight.slice(1),
      drop: eight.slice(0, 1),
    });
    expect(nextGeneration(eight.slice(1), '/jfs').drop).toEqual([]);
  });
});
