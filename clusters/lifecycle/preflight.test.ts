import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CannotRun } from '../cluster.ts';
import { requireRoom, requireWebhook } from './preflight.ts';

/** Answers of the API server, the last of them again and again. */
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

test('a node that evicts pods is named with what it lacks', async () => {
  answers = [[200, { items: [node('a', 'DiskPressure', 'False'), node('b', 'DiskPressure', 'True')] }]];
  const requiring = requireRoom(kubeConfig);
  await expect(requiring).rejects.toThrow(
    'node b evicts pods: DiskPressure (kubelet has disk pressure): make room on its disk',
  );
  await expect(requiring).rejects.toThrow(CannotRun);
});

test('nodes with room are no matter', async () => {
  answers = [[200, { items: [node('a', 'DiskPressure', 'False'), node('a', 'Ready', 'True')] }]];
  await expect(requireRoom(kubeConfig)).resolves.toBeUndefined();
});

const failing = [500, { kind: 'Status', message: 'failed calling webhook "x": no route to host' }] as const;

test('a webhook that is reached a moment later will do', async () => {
  answers = [failing, [201, {}]];
  await expect(requireWebhook(kubeConfig, 'ns')).resolves.toBeUndefined();
});

test('a webhook that the API server does not reach is one sentence with its reason', async () => {
  answers = [failing];
  const requiring = requireWebhook(kubeConfig, 'ns', 0);
  await expect(requiring).rejects.toThrow(
    'the API server does not reach the webhook (failed calling webhook "x": no route to host): look at the pods of deployment/fluid-webhook',
  );
  await expect(requiring).rejects.toThrow(CannotRun);
});
