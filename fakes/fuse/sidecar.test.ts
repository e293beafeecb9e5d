import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AsyncMountCalls } from './native.ts';
import { attachSidecarMount, findGenerations, nextGeneration } from './sidecar.ts';

function stage() {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-test-sidecar-'));
  const [staging, mountpoint] = [join(folder, 'staging'), join(folder, 'shared/volume')];
  mkdirSync(staging);
  return { staging, mountpoint, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

describe('a sidecar that attaches its mount', () => {
  it.each([true, false])(
    'keeps serving meanwhile, because the attachment may depend on it (replace: %s)',
    async (replace) => {
      using places = stage();
      const served = Promise.withResolvers<void>();
      const calls: string[] = [];
      const native: AsyncMountCalls = {
        detach: async (path) => void calls.push(`detach ${path}`),
        attachCopy: async ({ to }) => {
          calls.push(`attach ${to}`);
          await served.promise;
          return undefined;
        },
      };
      const attached = attachSidecarMount({ ...places, settings: { replace, readOnly: true }, native });
      setImmediate(served.resolve);
      expect(await attached).toBe(undefined);
      expect(calls).toEqual([`attach ${places.mountpoint}`, `detach ${places.staging}`]);
      expect(existsSync(places.staging)).toBe(false);
    },
  );

  it('returns the reason if it fails', async () => {
    using places = stage();
    const native: AsyncMountCalls = { detach: async () => undefined, attachCopy: async () => 1 };
    const settings = { replace: true, readOnly: false };
    expect(await attachSidecarMount({ ...places, settings, native })).toContain('errno 1');
  });
});

const line = (mountPoint: string) => `100 1 0:50 / ${mountPoint} ro shared:9 - fuse.jindofs-fuse jindofs-fuse ro`;

describe('the generations of a sidecar’s mounts', () => {
  it('are found in the mount table, the oldest first, with the number of mounts', () => {
    const table = ['/jfs/.generations/10', '/jfs/.generations/9', '/jfs/.generations/9', '/jfs/jindofs-fuse', '/x']
      .map(line)
      .join('\n');
    expect(findGenerations(table, '/jfs')).toEqual([
      { path: '/jfs/.generations/9', layers: 2 },
      { path: '/jfs/.generations/10', layers: 1 },
    ]);
  });

  it('are numbered from 1', () => {
    expect(nextGeneration([], '/jfs').path).toBe('/jfs/.generations/1');
    expect(nextGeneration([{ path: '/jfs/.generations/41', layers: 2 }], '/jfs').path).toBe('/jfs/.generations/42');
  });

  it('are at most eight: the oldest one is dropped', () => {
    const eight = Array.from({ length: 8 }, (_, index) => ({ path: `/jfs/.generations/${index + 1}`, layers: 2 }));
    expect(nextGeneration(eight, '/jfs')).toEqual({
      path: '/jfs/.generations/9',
      keep: eight.slice(1),
      drop: eight.slice(0, 1),
    });
    expect(nextGeneration(eight.slice(1), '/jfs').drop).toEqual([]);
  });
});
