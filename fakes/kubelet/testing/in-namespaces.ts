import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';

const flags = ['--mount', '--propagation=private', '--pid', '--fork', '--kill-child', '--mount-proc'];

/**
 * Runs a script of this folder as the sandbox's supervisor would run, in mount and PID namespaces of its own, and gives what it
 * printed as JSON. Its first argument is an empty directory to mount on, which is removed however the script ends.
 */
export function inNamespaces<T>(script: string, ...args: readonly string[]): T {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const directory = mkdtempSync(join(tmpdir(), 'rekindle-test-'));
  try {
<<<<<<< HEAD
    const { stdout, stderr } = execaSync('unshare', [...flags, process.execPath, path, directory], { reject: false });
=======
    const { stdout, stderr } = spawnSync('unshare', [...flags, process.execPath, path, directory, ...args], {
      encoding: 'utf8',
    });
>>>>>>> 63dbf08 (kubelet, fluid: containers without capabilities; the keeper's directory)
    try {
      return JSON.parse(stdout);
    } catch {
      throw new Error(`the script said: ${stdout}${stderr}`);
    }
  } finally {
    rmdirSync(directory);
  }
}
