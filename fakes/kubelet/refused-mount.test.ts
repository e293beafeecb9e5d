import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { refusedMount } from './refused-mount.ts';

const environment = { PATH: '/usr/bin:/bin' };

describe('a container runtime asked to mount a path', () => {
  it('takes what is there', async () => {
    expect(await refusedMount({ path: '/', environment, clockScale: 1 })).toBeUndefined();
  });

  it('says of what it refuses which path it is, and why', async () => {
    const refused = await refusedMount({ path: '/no/such: path', environment, clockScale: 1 });
    expect(refused).toBe('failed to stat "/no/such: path": no such file or directory');
  });

  it('gives up on what does not answer, by the clock of the kubelet', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rekindle-refused-mount-'));
    using scope = new DisposableStack();
    scope.defer(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'stat'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    const hung = { path: '/', environment: { PATH: `${folder}:${environment.PATH}` }, clockScale: 1e4 };
    expect(await refusedMount(hung)).toBe('context deadline exceeded');
  });
});
