/** Runs the webhook and the agent's HTTP server, with an API server at [::1] that has no objects, and prints who answers at which address. */
import { createServer } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { serveHttp } from '../../agent/http.ts';
import { parseWebhookFlags } from '../flags.ts';
import { startWebhook } from '../webhook.ts';

const api = createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  // A watch that never ends.
  if (request.url?.includes('watch=')) response.flushHeaders();
  else response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: [] }));
});
await new Promise<void>((listening) => api.listen(0, '::1', listening));
const kubeConfig = new KubeConfig();
kubeConfig.loadFromClusterAndUser(
  { name: 'c', server: `http://[::1]:${(api.address() as AddressInfo).port}`, skipTLSVerify: true },
  { name: 'u' },
);
const parsed = parseWebhookFlags({ argv: ['--listen=:0'], env: {} });
if (parsed.kind !== 'run') throw new Error('bad flags');
const ready = Promise.withResolvers<string>();
const log = {
  info: (event: string, fields?: object) => void (event === 'ready' && ready.resolve(JSON.stringify(fields))),
  warn: () => {},
  error: () => {},
};
await startWebhook({ flags: parsed.options, kubeConfig, log, random: Math.random, now: () => new Date() });
const { address } = JSON.parse(await ready.promise) as { readonly address: string };
const port = Number(/\d+$/.exec(address)?.[0]);
const metrics = { text: async () => '', contentType: 'text/plain' };
const open = { host: undefined, port: 0 };
const never = { missing: () => [], defect: async () => undefined, status: () => ({}) };
const agent = await serveHttp({ open, local: undefined, metrics, ...never });
const agentPort = /\d+$/.exec(agent.addresses.open)?.[0];
const options = { host: '::1', port, path: '/healthz', rejectUnauthorized: false, agent: false };
get(options, async ({ statusCode }) => {
  const { status } = await fetch(`http://[::1]:${agentPort}/readyz`);
  process.stdout.write(`webhook ${statusCode}, agent ${status}\n`, () => process.exit());
});
