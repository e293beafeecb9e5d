import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Aside } from './native.ts';
import { attachSidecarMount } from './sidecar.ts';

function stage() {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-test-sidecar-'));
  const [staging, mountpoint] = [join(folder, 'staging'), join(folder, 'shared/volume')];
  mkdirSync(staging);
  return { staging, mountpoint, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

describe('a sidecar that attaches its mount', () => {
  it.each([true, false])(
    'goes on serving meanwhile, for the attachment may wait for that (replace: %s)',
    async (replace) => {
      using places = stage();
      const served = Promise.withResolvers<void>();
      const calls: string[] = [];
      const native: Aside = {
        detach: async (path) => void calls.push(`detach ${path}`),
        attachCopy: async ({ to }) => {
          calls.push(`attach ${to}`);
          await served.promise;
          return undefined;
        },
      };
      const attached = attachSidecarMount({ ...places, setting: { replace, readOnly: true }, native });
      setImmediate(served.resolve);
      expect(await attached).toBe(undefined);
      expect(calls).toEqual([`attach ${places.mountpoint}`, `detach ${places.staging}`]);
      expect(existsSync(places.staging)).toBe(false);
    },
  );

  it('says why where it cannot', async () => {
    using places = stage();
    const native: Aside = { detach: async () => undefined, attachCopy: async () => 1 };
    const setting = { replace: true, readOnly: false };
    expect(await attachSidecarMount({ ...places, setting, native })).toContain('errno 1');
  });
});
