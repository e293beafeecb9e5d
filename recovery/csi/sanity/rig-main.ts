/**
 * In a mount namespace of its own: a FUSE mount, the bundled agent before it, an API server that has nothing, and the suite.
 * Arguments: the file for the suite's JUnit report, and the one for what it does only where a controller is claimed. Exits as the
 * suite does.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../agent/bundle.ts';
import { serveNothing } from '../../agent/testing/serve-nothing.ts';
import { v8Flags } from '../../agent/v8-flags.ts';
import { loadSyscalls } from '../../linux/load-syscalls.ts';
import { MNT_DETACH } from '../../linux/syscalls.ts';
import { claimController } from './claim-controller.ts';

const project = fileURLToPath(new URL('../../..', import.meta.url));
const piped: SpawnOptions = { stdio: ['ignore', 'pipe', 'inherit'] };
const [junit = 'junit.xml', claimedJunit = 'claimed.xml'] = process.argv.slice(2);
/** What the suite does only where the driver makes volumes. */
const publishing = 'Node Service should (work|be idempotent)';

await using parts = new AsyncDisposableStack();
const directory = mkdtempSync(join(tmpdir(), 'rekindle-sanity-'));
parts.defer(() => rmSync(directory, { recursive: true }));
const at = (name: string) => join(directory, name);
for (const name of ['runtime-mnt/sanity', 'kubelet', 'bundle']) mkdirSync(at(name), { recursive: true });

await bundle(at('bundle'));
symlinkSync(join(project, 'node_modules'), at('bundle/node_modules'));
writeFileSync(at('kubeconfig'), await serveNothing(parts));
writeFileSync(at('parameters.yaml'), JSON.stringify({ fluid_path: at('runtime-mnt/sanity') }));

const daemon = join(project, 'recovery/linux/fixtures/fuse-server.ts');
await started(spawn(process.execPath, [daemon, at('runtime-mnt/sanity'), 'hello'], piped), /ready/);
parts.defer(() => void loadSyscalls().umount(at('runtime-mnt/sanity'), MNT_DETACH));
await started(
  spawn(
    process.execPath,
    [
      ...[...v8Flags, at('bundle/agent.mjs'), '--nodeid=node-1', '--metrics-addr=127.0.0.1:0'],
      ...[`--endpoint=unix://${at('csi.sock')}`, `--kubeconfig=${at('kubeconfig')}`],
    ],
    { ...piped, env: { ...process.env, MOUNT_ROOT: at('runtime-mnt'), KUBELET_ROOTDIR: at('kubelet') } },
  ),
  /"ready"/,
);
const driver = `unix://${at('csi.sock')}`;
parts.use(await claimController(driver, at('claimed.sock')));
const own = await judge(driver, 'Identity Service|Node Service', junit);
const claimed = await judge(`unix://${at('claimed.sock')}`, publishing, claimedJunit);
process.exitCode = own === 0 ? claimed : own;

/** Runs the suite on the tests whose names match; resolves with its status. */
function judge(endpoint: string, focus: string, report: string): Promise<number> {
  const suite = spawn(
    'csi-sanity',
    [
      ...[`--ginkgo.focus=${focus}`, '--ginkgo.no-color', `--ginkgo.junit-report=${report}`],
      ...[`--csi.endpoint=${endpoint}`, `--csi.testvolumeparameters=${at('parameters.yaml')}`],
      ...[`--csi.mountdir=${at('kubelet/mount')}`, `--csi.stagingdir=${at('kubelet/staging')}`],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  return new Promise((ended) => suite.once('close', (code) => ended(code ?? 1)));
}

/** Resolves once its output says so; it is ended with the rig. */
async function started(child: ChildProcess, says: RegExp): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  parts.defer(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await new Promise<void>((ready, failed) => {
    child.stdout?.on('data', (text) => says.test(String(text)) && ready());
    ended.then(() => failed(new Error(`${child.spawnargs.join(' ')} ended before it was ready`)));
  });
}
