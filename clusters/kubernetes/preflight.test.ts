import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig, type KubernetesObject } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CannotRun } from '../cluster.ts';
import { requireNoPressure, requireTheirs, requireWebhook } from './preflight.ts';

/** CannedReplys of the API server, the last of them again and again. */
let answers: readonly (readonly [status: number, body: object])[] = [];
let asked = 0;
const server = createServer((_request, response) => {
  const [status, body] = answers[Math.min(asked++, answers.length - 1)] ?? [500, {}];
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});

let kubeConfig: KubeConfig;
beforeEach(async () => {
  asked = 0;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'u' },
  );
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

const node = (name: string, type: string, status: string) => ({
  metadata: { name },
  status: { conditions: [{ type, status, message: 'kubelet has disk pressure' }] },
});

test('names a node that evicts pods, and its pressure', async () => {
  answers = [[200, { items: [node('a', 'DiskPressure', 'False'), node('b', 'DiskPressure', 'True')] }]];
  const requiring = requireNoPressure(kubeConfig);
  await expect(requiring).rejects.toThrow(
    'node b evicts pods: DiskPressure (kubelet has disk pressure): free disk space',
  );
  await expect(requiring).rejects.toThrow(CannotRun);
});

test('ignores nodes without pressure', async () => {
  answers = [[200, { items: [node('a', 'DiskPressure', 'False'), node('a', 'Ready', 'True')] }]];
  await expect(requireNoPressure(kubeConfig)).resolves.toBeUndefined();
});

const failing = [500, { kind: 'Status', message: 'failed calling webhook "x": no route to host' }] as const;

test('accepts a webhook that is reachable a moment later', async () => {
  answers = [failing, [201, {}]];
  await expect(requireWebhook(kubeConfig, 'ns')).resolves.toBeUndefined();
});

test('reports a webhook that the API server does not reach, with the reason', async () => {
  answers = [failing];
  const requiring = requireWebhook(kubeConfig, 'ns', 0);
  await expect(requiring).rejects.toThrow(
    'the API server does not reach the webhook (failed calling webhook "x": no route to host): look at the pods of deployment/fluid-webhook',
  );
  await expect(requiring).rejects.toThrow(CannotRun);
});

const theirs = { namespace: 'fluid-system', name: 'csi-nodeplugin-fluid', container: 'plugins' };
const pods = (...names: readonly string[]) => ({
  spec: { template: { spec: { containers: names.map((name) => ({ name })) } } },
});
const judge = (daemonSet: object | undefined, definition: object | undefined = {}) =>
  requireTheirs(
    { read: async ({ kind }) => (kind === 'DaemonSet' ? daemonSet : definition) as KubernetesObject | undefined },
    theirs,
  );

test('accepts an implementation that is installed with its definitions', async () => {
  await expect(judge({ metadata: {}, ...pods('node-driver-registrar', 'plugins') })).resolves.toBeUndefined();
});

test.each([
  [
    'it is absent',
    undefined,
    'the implementation that the profile names is not installed there: no daemonset/csi-nodeplugin-fluid in fluid-system: install it first',
  ],
  [
    'it is ours',
    { metadata: { labels: { 'app.kubernetes.io/managed-by': 'rekindle' } }, ...pods('plugins') },
    "daemonset/csi-nodeplugin-fluid in fluid-system is Rekindle's own agent, not the one that the profile names: --profile rekindle",
  ],
  ['its container has another name', pods('plugin'), 'has no container plugins, only plugin: name it in a profile'],
])('refuses if %s', async (_what, daemonSet, says) => {
  await expect(judge(daemonSet)).rejects.toThrow(says);
  await expect(judge(daemonSet)).rejects.toThrow(CannotRun);
});

test('asks for the driver instead of Fluid if the volumes are of another driver', async () => {
  const installed = (names: readonly string[]) => ({
    read: async ({ kind, metadata }: KubernetesObject) =>
      (kind === 'DaemonSet' ? pods('plugins') : names.includes(`${kind} ${metadata?.name}`) ? {} : undefined) as
        | KubernetesObject
        | undefined,
  });
  await expect(requireTheirs(installed(['CSIDriver x.io']), theirs, 'x.io')).resolves.toBeUndefined();
  await expect(requireTheirs(installed(['CSIDriver y.io']), theirs, 'x.io')).rejects.toThrow('but no csidriver/x.io');
});

test('refuses a node plugin without Fluid’s definitions', async () => {
  const read = async ({ kind }: KubernetesObject) =>
    kind === 'DaemonSet' ? (pods('plugins') as KubernetesObject) : undefined;
  await expect(requireTheirs({ read }, theirs)).rejects.toThrow(
    'but no customresourcedefinition/datasets.data.fluid.io: install all of Fluid',
  );
});
