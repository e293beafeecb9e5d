/**
 * Runs in a private mount namespace: starts a FUSE mount, an empty API server and the bundled agent, and then the suite.
 * Arguments: the files for the suite's two JUnit reports, without and with a claimed controller. Exits with the suite's status.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, credentials, Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { loadCsiServices } from '../../csi/definitions.ts';
import { type GrpcServer, listenOn } from '../../csi/socket.ts';
import { loadSyscalls } from '../../linux/load-syscalls.ts';
import { MNT_DETACH } from '../../linux/syscalls.ts';
import { bundle } from '../bundle.ts';
import { serveNothing } from '../testing/serve-nothing.ts';
import { v8Flags } from '../v8-flags.ts';

/** Responses by method that claim capabilities for the driver. It answers the calls themselves with an echo. */
const claims: Readonly<Record<string, object>> = {
  GetPluginCapabilities: { capabilities: [{ service: { type: 'CONTROLLER_SERVICE' } }] },
  ControllerGetCapabilities: { capabilities: [{ rpc: { type: 'CREATE_DELETE_VOLUME' } }] },
};

const project = fileURLToPath(new URL('../../..', import.meta.url));
const piped: SpawnOptions = { stdio: ['ignore', 'pipe', 'inherit'] };
const [junit = 'junit.xml', claimedJunit = 'claimed.xml'] = process.argv.slice(2);
/** Tests that the suite runs only if the driver creates volumes. */
const publishingTests = 'Node Service should (work|be idempotent)';

await using parts = new AsyncDisposableStack();
const directory = mkdtempSync(join(tmpdir(), 'rekindle-sanity-'));
parts.defer(() => rmSync(directory, { recursive: true }));
const pathTo = (name: string) => join(directory, name);
for (const name of ['runtime-mnt/sanity', 'kubelet', 'bundle']) mkdirSync(pathTo(name), { recursive: true });

await bundle(pathTo('bundle'));
symlinkSync(join(project, 'node_modules'), pathTo('bundle/node_modules'));
writeFileSync(pathTo('kubeconfig'), await serveNothing(parts));
writeFileSync(pathTo('parameters.yaml'), JSON.stringify({ fluid_path: pathTo('runtime-mnt/sanity') }));

const daemon = join(project, 'recovery/linux/fixtures/fuse-server.ts');
await startProcess(spawn(process.execPath, [daemon, pathTo('runtime-mnt/sanity'), 'hello'], piped), /ready/);
parts.defer(() => void loadSyscalls().umount(pathTo('runtime-mnt/sanity'), MNT_DETACH));
await startProcess(
  spawn(
    process.execPath,
    [
      ...[...v8Flags, pathTo('bundle/agent.mjs'), '--nodeid=node-1', '--metrics-addr=127.0.0.1:0'],
      ...[`--endpoint=unix://${pathTo('csi.sock')}`, `--kubeconfig=${pathTo('kubeconfig')}`],
    ],
    { ...piped, env: { ...process.env, MOUNT_ROOT: pathTo('runtime-mnt'), KUBELET_ROOTDIR: pathTo('kubelet') } },
  ),
  /"ready"/,
);
const driver = `unix://${pathTo('csi.sock')}`;
parts.use(await claimController(driver, pathTo('claimed.sock')));
const own = await runSuite(driver, 'Identity Service|Node Service', junit);
const claimed = await runSuite(`unix://${pathTo('claimed.sock')}`, publishingTests, claimedJunit);
process.exitCode = own === 0 ? claimed : own;

/** Runs the tests whose names match. Resolves with the suite's exit status. */
function runSuite(endpoint: string, focus: string, report: string): Promise<number> {
  const suite = spawn(
    'csi-sanity',
    [
      ...[`--ginkgo.focus=${focus}`, '--ginkgo.no-color', `--ginkgo.junit-report=${report}`],
      ...[`--csi.endpoint=${endpoint}`, `--csi.testvolumeparameters=${pathTo('parameters.yaml')}`],
      ...[`--csi.mountdir=${pathTo('kubelet/mount')}`, `--csi.stagingdir=${pathTo('kubelet/staging')}`],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  return new Promise((ended) => suite.once('close', (code) => ended(code ?? 1)));
}

/** Resolves once the output matches. The process is killed when the rig ends. */
async function startProcess(child: ChildProcess, readyLine: RegExp): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  parts.defer(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await new Promise<void>((ready, failed) => {
    child.stdout?.on('data', (text) => readyLine.test(String(text)) && ready());
    ended.then(() => failed(new Error(`${child.spawnargs.join(' ')} ended before it was ready`)));
  });
}

/**
 * Proxies a driver's socket and claims that the driver creates volumes. The suite publishes only volumes that it has created, and
 * the agent does not claim this capability. All other calls are passed on unchanged.
 */
async function claimController(driver: string, path: string): Promise<GrpcServer> {
  const server = new Server();
  const client = new Client(driver, credentials.createInsecure());
  for (const service of Object.values(loadCsiServices())) {
    const handlers = Object.entries(service).map(([call, definition]) => {
      const claim = claims[call];
      const handler = ({ request }: ServerUnaryCall<object, object>, reply: sendUnaryData<object>) => {
        if (claim !== undefined) return reply(null, claim);
        const { path, requestSerialize, responseDeserialize } = definition;
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) => {
          reply(error, response as object | undefined);
        });
      };
      return [call, handler];
    });
    server.addService(service, Object.fromEntries(handlers));
  }
  const listening = await listenOn(server, path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      client.close();
      await listening[Symbol.asyncDispose]();
    },
  };
}
