import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoreV1Api, RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../../fakes/apiserver/api-server.ts';
import { clientConfig } from '../../fakes/apiserver/client-config.ts';
import { createNodeStatus } from '../../recovery/agent/node-status.ts';
import { statusReaderRole } from '../../recovery/deploy/access.ts';
import { names } from '../../recovery/deploy/options.ts';
import { crash, oneHealthyPod } from '../../recovery/engine/testing/healthy-pod.ts';
import type { World } from '../../recovery/engine/testing/world.ts';
import { version } from '../version.ts';
import { createFakeContext } from './fake-context.ts';
import { rekindle } from './rekindle.ts';

let api: ApiServer;
let agent: Server;
let address: string;
let world: World;
let cwd: string;
let now: Date;

beforeAll(async () => {
  api = await startApiServer({ port: 0 });
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-cli-'));
  writeFileSync(join(cwd, 'config'), api.kubeConfig);
  agent = createServer((request, response) => {
    if (request.url !== '/status') return void response.writeHead(404).end();
    response.end(JSON.stringify(statusOf()));
  });
  await new Promise<void>((resolve) => agent.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(agent.address() as AddressInfo).port}`;
});
afterAll(async () => {
  rmSync(cwd, { recursive: true });
  agent.close();
  await api[Symbol.asyncDispose]();
});

let statusOf: () => unknown;
beforeEach(async () => {
  world = await oneHealthyPod();
  const core = clientConfig(api.kubeConfig).makeApiClient(CoreV1Api);
  await core.deleteCollectionNamespacedPod({ namespace: 'default', gracePeriodSeconds: 0 });
  now = new Date();
  statusOf = createNodeStatus({
    options: { nodeId: 'worker-1', policy: world.policy },
    kernel: { tier: '6.5' },
    engine: world.engine,
    kubernetes: { view: () => ({ volumes: world.volumes, pods: world.pods }) },
    clock: world.clock,
    missing: () => ['waiting for the API server'],
  });
  return () => world[Symbol.asyncDispose]();
});

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}, signal?: AbortSignal) {
  const fake = createFakeContext({ cwd, env: { HOME: cwd, KUBECONFIG: 'config', ...env }, ...(signal && { signal }) });
  const status = await rekindle(argv, fake.context);
  return { status, out: fake.stdout(), err: fake.stderr() };
}

describe('rekindle status', () => {
  test('prints a table of what an agent knows, and ends with 0 if all mounts can be read', async () => {
    const { status, out } = await run(['status', '--address', address]);
    expect(status).toBe(0);
    expect(out).toContain('✔ 2 mounts on 1 node, all of which can be read');
    expect(out).toContain(
      `node worker-1  agent ${version}, recovery on, kernel tier 6.5\n  waiting for the API server`,
    );
    expect(out).toMatch(/default\/pod-1 +app +reads +\d+s +- +\/data/);
  });

  test('ends with 1 if a mount cannot be read, and says why', async () => {
    crash(world);
    await world.clock.advance(10_000);
    const { status, out } = await run(['status', '--address', address]);
    expect(status).toBe(1);
    expect(out).toMatch(/daemon dead \(ENOTCONN\) for/);
    expect(out).toContain('source-not-live: /data waits until a FUSE daemon serves volume demo');
  });

  test('prints all of it as JSON, by the documented schema', async () => {
    const { status, out } = await run(['status', '--address', address, '-o', 'json']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ schemaVersion: 1, nodes: [statusOf()], unreachable: [] });
  });

  test('colours the table if asked to, and never with NO_COLOR', async () => {
    const argv = ['status', '--address', address];
    expect((await run(argv, { FORCE_COLOR: '1' })).out).toContain('\u001b[32m');
    expect((await run(argv, { FORCE_COLOR: '1', NO_COLOR: '1' })).out).not.toContain('\u001b');
  });

  test('continues with --watch until Ctrl-C', async () => {
    const stop = new AbortController();
    const fake = createFakeContext({ cwd, env: { HOME: cwd }, signal: stop.signal });
    const running = rekindle(['status', '--address', address, '--watch', '1s'], fake.context);
    await expect.poll(() => fake.stdout().split('all of which can be read').length, { timeout: 30_000 }).toBe(3);
    stop.abort();
    expect(await running).toBe(130);
  });

  test('names an agent that does not answer, and ends with 4', async () => {
    const { status, out } = await run(['status', '--address', `${address.replace(/\d+$/, '1')}`]);
    expect(status).toBe(4);
    expect(out).toContain('its agent could not be asked');
  });

  test.each([
    [['status', '--address', 'nowhere'], 2, 'bad --address "nowhere": it is HOST:PORT'],
    [['status', '--address', 'a:1', '--agent-namespace', 'x'], 2, 'cannot be combined'],
    [['status', '-o', 'xml'], 2, 'table, json'],
    [['status'], 3, 'no node agent runs in this cluster'],
    [['explain', 'nobody', '--address', 'a:1'], 3, 'pods "nobody" not found'],
  ])('%j ends with %i and one sentence', async (argv, expected, sentence) => {
    const { status, err } = await run(argv);
    expect(err).toContain(sentence);
    expect(status).toBe(expected);
  });

  test('is refused without the role, which is named, and finds the agents with it', async () => {
    const config = clientConfig(api.kubeConfig);
    const core = config.makeApiClient(CoreV1Api);
    const rbac = config.makeApiClient(RbacAuthorizationV1Api);
    const { namespace } = names;
    await core.createNamespace({ body: { metadata: { name: namespace } } });
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: 'reader' } } });
    const { status: issued } = await core.createNamespacedServiceAccountToken({
      namespace,
      name: 'reader',
      body: { spec: { audiences: [] } },
    });
    const users = [{ name: 'rekindle', user: { token: issued?.token } }];
    writeFileSync(join(cwd, 'reader'), JSON.stringify({ ...JSON.parse(api.kubeConfig), users }));
    const asReader = ['status', '--agent-namespace', namespace, '--kubeconfig', 'reader'];
    const refused = await run(asReader);
    expect(refused.err).toContain('have the ClusterRole rekindle:status-reader bound to you in this namespace');
    expect(refused.status).toBe(3);
    await rbac.createClusterRole({ body: statusReaderRole(names.agent) });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'rekindle:status-reader' };
    const subjects = [{ kind: 'ServiceAccount', name: 'reader', namespace }];
    await rbac.createNamespacedRoleBinding({ namespace, body: { metadata: { name: 'readers' }, roleRef, subjects } });
    expect((await run(asReader)).err).toContain('no node agent runs in this cluster');
    const labels = { app: names.agent };
    const spec = { nodeName: 'worker-2', containers: [{ name: 'plugins', image: 'i' }] };
    await core.createNamespacedPod({ namespace, body: { metadata: { name: 'agent', labels }, spec } });
    const { status, out } = await run(asReader);
    expect(out).toContain('? 0 mounts on 0 nodes of 1');
    expect(status).toBe(4);
  });
});

describe('rekindle explain', () => {
  test('prints the story of a pod, with the events of it and its dataset in order', async () => {
    const core = clientConfig(api.kubeConfig).makeApiClient(CoreV1Api);
    const claim = { name: 'data', persistentVolumeClaim: { claimName: 'demo' } };
    const spec = { nodeName: 'worker-1', containers: [{ name: 'app', image: 'i' }], volumes: [claim] };
    const made = await core.createNamespacedPod({ namespace: 'default', body: { metadata: { name: 'pod-1' }, spec } });
    const uid = made.metadata?.uid ?? '';
    const event = (name: string, object: object, secondsAgo: number) => {
      const lastTimestamp = new Date(now.getTime() - secondsAgo * 1000);
      const body = {
        metadata: { name },
        involvedObject: object,
        reason: name,
        message: `${name} happened`,
        lastTimestamp,
      };
      return core.createNamespacedEvent({ namespace: 'default', body: { ...body, type: 'Warning' } });
    };
    await event('second', { kind: 'Pod', namespace: 'default', name: 'pod-1', uid }, 5);
    await event('first', { kind: 'Dataset', namespace: 'default', name: 'demo' }, 9);
    await event('other', { kind: 'Pod', namespace: 'default', name: 'pod-2' }, 7);
    await event('namesake', { kind: 'Pod', namespace: 'default', name: 'pod-1', uid: 'of-its-predecessor' }, 7);
    const known = statusOf() as { volumes: { mounts: { podUid: string }[] }[] };
    for (const mount of known.volumes.flatMap(({ mounts }) => mounts)) mount.podUid = uid;
    const before = statusOf;
    statusOf = () => known;
    const { status, out } = await run(['explain', 'pod-1', '--address', address]);
    const asData = await run(['explain', 'pod-1', '--address', address, '--json']);
    statusOf = before;
    expect(status).toBe(0);
    expect(out).toContain('pod default/pod-1 on worker-1');
    expect(out).toContain('container app at /data: reads for');
    expect(out).toMatch(/Dataset first: first happened\n.*Pod second: second happened/);
    expect(out).not.toMatch(/other|namesake/);
    expect(out).toContain('✔ all of its 2 mounts can be read');
    const { events, volumes, ...others } = JSON.parse(asData.out);
    expect(others).toMatchObject({ namespace: 'default', pod: 'pod-1', node: 'worker-1', labelled: false });
    expect(events).toMatchObject([
      { object: 'Dataset default/demo', reason: 'first', message: 'first happened', count: 1 },
      { object: 'Pod default/pod-1', reason: 'second' },
    ]);
    expect(volumes[0].mounts).toHaveLength(2);
  });
});
