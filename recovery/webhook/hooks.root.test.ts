import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { objectAt } from '../kubernetes/json.ts';
import { createSidecar } from './sidecar.ts';
import { template } from './testing/sample-pods.ts';

const root = process.getuid?.() === 0;

/** Runs a script in a private mount namespace with a shared directory whose name needs quoting. */
function inNamespace(script: (names: { readonly shared: string; readonly hook: (name: string) => string }) => string) {
  const directory = mkdtempSync(join(tmpdir(), "rekindle-it's-"));
  const { container } = createSidecar({
    index: 0,
    template,
    shared: { volume: 'jindofs-fuse-mount', mountPath: directory, mountPoint: 'jindofs-fuse' },
    volume: 'data',
    usedNames: new Set(),
    recover: true,
    readOnly: true,
    podSecurityContext: {},
    isNative: false,
  });
  const hook = (name: string) => (objectAt(container, 'lifecycle', name, 'exec').command as readonly string[])[2] ?? '';
  try {
    const shared = `'${directory.replaceAll("'", "'\\''")}'`;
    const argv = ['--mount', '--propagation=private', '/bin/sh', '-c', script({ shared, hook })];
    const { stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' });
    return { lines: stdout.trim().split('\n'), stderr };
  } finally {
    rmdirSync(directory);
  }
}

describe.skipIf(!root)('the hooks of a sidecar (needs root)', () => {
  const mountAll = (shared: string) =>
    [
      `mount -t tmpfs shared ${shared}`,
      `mkdir -p ${shared}/jindofs-fuse ${shared}/.generations/1`,
      ...['jindofs-fuse', 'jindofs-fuse', '.generations/1', '.generations/1'].map(
        (path) => `mount -t tmpfs x ${shared}/${path}`,
      ),
    ].join('; ');
  const countMounts = 'cut -d" " -f5 /proc/self/mountinfo | grep -c rekindle-it';

  it('unmount all layers below the shared directory and nothing else', () => {
    const { lines } = inNamespace(
      ({ shared, hook }) => `${mountAll(shared)}; ${countMounts}; (${hook('preStop')}); echo $?; ${countMounts}`,
    );
    expect(lines).toEqual(['5', '0', '1']);
  });

  it('wait until a filesystem is mounted and answers', () => {
    // The `sleep` at the end of the loop shows that the first iteration has run.
    const { lines } = inNamespace(
      ({ shared, hook }) => `cd ${shared} && mount -t tmpfs shared . && cd ${shared} && mkdir jindofs-fuse
        (sleep() { echo 'waits' >> turns; command sleep 0.01; }; ${hook('postStart')}; echo served >> turns) &
        until [ -s turns ]; do :; done
        head -1 turns
        mount -t tmpfs x jindofs-fuse
        wait
        tail -1 turns`,
    );
    expect(lines).toEqual(['waits', 'served']);
  });
});
