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
    const { stdout, stderr } = execaSync('unshare', [...flags, process.execPath, path, directory, ...args], {
      reject: false,
    });
    try {
      return JSON.parse(stdout);
    } catch {
      throw new Error(`the script said: ${stdout}${stderr}`);
    }
  } finally {
    rmdirSync(directory);
  }
}
