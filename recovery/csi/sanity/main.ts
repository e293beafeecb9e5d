/**
 * Judges the bundled agent's CSI socket by Kubernetes' own suite for CSI drivers, focused on Identity and Node:
 * `node recovery/csi/sanity/main.ts [JUNIT-FILE]`. Needs root, /dev/fuse, and the program `csi-sanity` on the PATH
 * (github.com/kubernetes-csi/csi-test).
 *
 * Exit status: 0 all passed, 1 not, 3 this machine cannot run it, and the message says what is missing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readResults, sayResults } from './results.ts';

const rig = fileURLToPath(new URL('./rig-main.ts', import.meta.url));
/** The suite takes a second; a call that hangs must not. */
const endAfter = 120_000;

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return 'this user may not make mount namespaces: run it as root';
  if (spawnSync('csi-sanity', ['--help']).error !== undefined)
    return 'the program csi-sanity is not on the PATH: go install github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity@latest';
  return undefined;
}

async function run(junit: string): Promise<number> {
  const argv = ['-m', '--propagation', 'private', '--kill-child', '--fork', process.execPath, rig, junit];
  const child = spawn('unshare', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), endAfter);
  const status = await new Promise<number | null>((ended) => child.once('close', ended));
  clearTimeout(timer);
  const results = readResults(readFileSync(junit, 'utf8'));
  const passed = status === 0 && results.failed.length === 0 && results.passed > 0;
  if (!passed) process.stdout.write(output);
  process.stdout.write(sayResults(results));
  return passed ? 0 : 1;
}

const why = missing();
if (why === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-sanity-'));
  try {
    process.exitCode = await run(resolve(process.argv[2] ?? join(folder, 'junit.xml')));
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  process.stdout.write(`csi-sanity: skipped: ${why}\n`);
  process.exitCode = 3;
}
