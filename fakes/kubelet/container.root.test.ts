import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = process.getuid?.() === 0;

/** Runs a script of this folder as the sandbox's supervisor would run: in mount and PID namespaces of its own. */
function inNamespaces(script: string): { readonly [key: string]: unknown } {
  const path = fileURLToPath(new URL(`./testing/${script}`, import.meta.url));
  const flags = ['--mount', '--propagation=private', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const { stdout, stderr } = spawnSync('unshare', [...flags, process.execPath, path], { encoding: 'utf8' });
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`the script said: ${stdout}${stderr}`);
  }
}

describe.skipIf(!root)('a container (needs root)', () => {
  it('is process 1 of its own PID namespace, sees only its own mounts, and can be entered', () => {
    const seen = inNamespaces('one-container.ts');
    expect(seen).toMatchObject({ pid: '1', data: 'from the volume', readOnly: true, hostsFromPod: true, node: false });
    expect(seen.exec).toBe('1 from inside');
    expect(seen.exit).toEqual({ exitCode: 7, signal: null });
  });

  it('gets mounts from the node and gives mounts to it, as its propagation says', () => {
    const seen = inNamespaces('propagation.ts');
    expect(seen).toEqual({
      none: false,
      hostToContainer: true,
      bidirectional: true,
      fromContainer: true,
      fromNone: false,
    });
  });
});
