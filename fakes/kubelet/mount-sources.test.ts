import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { refuseMountSource } from './mount-sources.ts';

const environment = { PATH: '/usr/bin:/bin' };

describe('a container runtime asked to mount a path', () => {
  it('accepts a path that exists', async () => {
    expect(await refuseMountSource({ path: '/', environment, clockScale: 1 })).toBeUndefined();
  });

  it('refuses a missing path with path and reason', async () => {
    const refused = await refuseMountSource({ path: '/no/such: path', environment, clockScale: 1 });
    expect(refused).toBe('failed to stat "/no/such: path": no such file or directory');
  });

  it("gives up on a path that does not answer, by the kubelet's clock", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rekindle-refused-mount-'));
    using scope = new DisposableStack();
    scope.defer(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'stat'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    const hung = { path: '/', environment: { PATH: `${folder}:${environment.PATH}` }, clockScale: 1e4 };
    expect(await refuseMountSource(hung)).toBe('context deadline exceeded');
  });
});
