import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RunId } from '../../run-id.ts';
import { cleanCluster } from './clean-cluster.ts';

const now = Date.parse('2026-11-22T20:00:00Z');
const run = '20261122-134501-k3f9' as RunId;
const other = '20261122-150000-aaaa' as RunId;

interface Space {
  readonly labels: Readonly<Record<string, string>>;
  readonly creationTimestamp: string;
}

const spaces = new Map<string, Space>();
let refused = false;
let deployed = false;
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://server');
  const say = (status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (request.url?.includes('/daemonsets/')) return say(deployed ? 200 : 404, { kind: 'DaemonSet', metadata: {} });
  if (pathname === '/apis/apps/v1')
    return say(200, { resources: [{ name: 'daemonsets', kind: 'DaemonSet', namespaced: true, verbs: [] }] });
  if (refused) return say(403, { kind: 'Status', message: 'namespaces is forbidden' });
  const resources = [{ name: 'namespaces', kind: 'Namespace', namespaced: false, verbs: [] }];
  if (pathname === '/api/v1') return say(200, { kind: 'APIResourceList', groupVersion: 'v1', resources });
  const [, name] = /^\/api\/v1\/namespaces\/([^/]+)$/.exec(pathname) ?? [];
  if (name !== undefined) {
    const found = spaces.get(name);
    if (request.method === 'DELETE') spaces.delete(name);
    return found ? say(200, { metadata: { name, ...found } }) : say(404, { kind: 'Status', message: 'not found' });
  }
  const label = searchParams.get('labelSelector') ?? '';
  const isSpaces = pathname === '/api/v1/namespaces';
  const items = isSpaces ? [...spaces].filter(([, { labels }]) => label in labels) : [];
  return say(200, { items: items.map(([name, space]) => ({ metadata: { name, ...space } })) });
});

let kubeConfig: KubeConfig;
beforeEach(async () => {
  spaces.clear();
  refused = false;
  deployed = false;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [{ name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: 'u' }],
    contexts: [{ name: 'mine', cluster: 'c', user: 'u' }],
    currentContext: 'mine',
  });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

const add = (name: string, label: string, value: string, creationTimestamp = '2026-11-22T19:00:00Z') =>
  spaces.set(name, { labels: { [label]: value }, creationTimestamp });
const doctor = (name: string, created?: string) => add(name, 'rekindle.dev/doctor', name, created);
const clean = (asked: { readonly run?: RunId; readonly dryRun?: boolean } = {}) =>
  cleanCluster({ kubeConfig, dryRun: false, now, signal: new AbortController().signal, ...asked });

test('what a killed doctor left is removed, and a doctor that may be looking is left alone', async () => {
  doctor('rekindle-doctor-old');
  doctor('rekindle-doctor-new', '2026-11-22T19:59:00Z');
  spaces.set('mine', { labels: {}, creationTimestamp: '2020-01-01T00:00:00Z' });
  expect((await clean({ dryRun: true })).lines[0]).toBe('mine: would remove namespace/rekindle-doctor-old');
  expect(await clean()).toEqual({
    lines: [
      'mine: removed namespace/rekindle-doctor-old',
      'mine: namespace/rekindle-doctor-new is of a doctor that may be looking: left alone for 4 min',
    ],
    leftovers: [],
  });
  expect([...spaces.keys()]).toEqual(['rekindle-doctor-new', 'mine']);
});

test('removes the named run with the namespaces of its scenarios, and prints how to remove another', async () => {
  add(`rekindle-${run}`, 'rekindle.dev/run', run);
  add('rk-scenario', 'rekindle.dev/run', run);
  add(`rekindle-${other}`, 'rekindle.dev/run', other);
  expect((await clean()).lines).toEqual([
    expect.stringContaining(`rekindle clean --context mine --run ${run} removes it`),
    expect.stringContaining(`rekindle clean --context mine --run ${other} removes it`),
  ]);
  deployed = true;
  expect((await clean({ run })).lines).toEqual([
    `mine: removed namespace/rekindle-${run}`,
    'mine: removed namespace/rk-scenario',
    'mine: the node agent stays: rekindle deploy --context mine --remove removes it',
  ]);
  expect([...spaces.keys()]).toEqual([`rekindle-${other}`]);
});

test('reports an empty cluster, and explains a lack of permission', async () => {
  expect((await clean()).lines).toEqual(['mine: nothing to clean']);
  refused = true;
  await expect(clean()).rejects.toThrow('namespaces is forbidden: use a context that may do this');
});
