/**
 * Runs Kubernetes' conformance suite for CSI drivers against the bundled agent, focused on Identity and Node:
 * `node recovery/agent/sanity/main.ts [JUNIT-FILE]`. Needs root, /dev/fuse, and the program `csi-sanity` on the PATH
 * (github.com/kubernetes-csi/csi-test).
 *
 * Exit status: 0 all passed, 1 some failed, 3 this machine cannot run it, and the message says what is missing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatResults, parseResults } from './results.ts';

const rig = fileURLToPath(new URL('./rig-main.ts', import.meta.url));
/** The suite takes a second. The timeout ends calls that hang. */
const timeoutMs = 120_000;

function findMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'mount namespaces need root: run it as root';
  if (spawnSync('csi-sanity', ['--help']).error !== undefined)
    return 'the program csi-sanity is not on the PATH: go install github.com/kubernetes-csi/csi-test/v5/cmd/csi-sanity@latest';
  return undefined;
}

async function run(junit: string, claimed: string): Promise<number> {
  const argv = ['-m', '--propagation', 'private', '--kill-child', '--fork', process.execPath, rig, junit, claimed];
  const child = spawn('unshare', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const status = await new Promise<number | null>((ended) => child.once('close', ended));
  clearTimeout(timer);
  const reports = [junit, claimed]
    .filter((path) => existsSync(path))
    .map((path) => parseResults(readFileSync(path, 'utf8')));
  const passed =
    status === 0 && reports.length === 2 && reports.every((report) => report.failed.length === 0 && report.passed > 0);
  if (!passed) process.stdout.write(output);
  const [own, publishing] = reports;
  if (publishing !== undefined) {
    process.stdout.write(formatResults('publishing, with a controller claimed by a proxy socket', publishing));
  }
  if (own !== undefined) process.stdout.write(formatResults('Identity and Node', own));
  return passed ? 0 : 1;
}

const reason = findMissing();
if (reason === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-sanity-'));
  try {
    const junit = resolve(process.argv[2] ?? join(folder, 'junit.xml'));
    process.exitCode = await run(junit, join(folder, 'claimed.xml'));
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  process.stdout.write(`csi-sanity: skipped: ${reason}\n`);
  process.exitCode = 3;
}
