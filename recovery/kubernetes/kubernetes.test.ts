import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { monotonicClock } from '../clock.ts';
import type { ClockPort } from '../engine/ports.ts';
import { createModelledClock } from '../engine/testing/modelled-clock.ts';
import { createEventSender } from './event-sender.ts';
import { type Kubernetes, watchKubernetes } from './kubernetes.ts';
import { claimObject, volumeObject } from './testing/bound-claim.ts';
import { ApiError, ApiTimeout, createTransport } from './transport.ts';

const pod = (name: string, spec: object = {}) => ({
  metadata: { namespace: 'default', name, uid: `uid-${name}`, resourceVersion: '9' },
  spec: {
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'demo' } }],
    containers: [{ name: 'main', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
    ...spec,
  },
});

const claimPath = '/api/v1/namespaces/default/persistentvolumeclaims/demo';
const volumePath = '/api/v1/persistentvolumes/default-demo';
const volumesPath = '/api/v1/persistentvolumes';

/** A minimal API server for lists, watches and objects. Tests set what it serves. */
let lists: Record<string, object[]>;
let objects: Record<string, object>;
let watches: Map<string, ServerResponse>;
let requests: string[];
let bodies: unknown[];
let answer: (request: IncomingMessage, response: ServerResponse) => boolean;
let server: Server;
let kubernetes: Kubernetes | undefined;
let errors: string[];

beforeEach(async () => {
  lists = { '/api/v1/pods': [pod('app')] };
  objects = { [claimPath]: claimObject, [volumePath]: volumeObject() };
  watches = new Map();
  requests = [];
  bodies = [];
  errors = [];
  answer = () => false;
  server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    requests.push(`${request.method} ${request.url}`);
    let body = '';
    for await (const chunk of request) body += chunk;
    if (body !== '') bodies.push(JSON.parse(body));
    if (answer(request, response)) return;
    if (searchParams.has('watch')) {
      watches.set(pathname, response.writeHead(200));
      response.flushHeaders();
      return;
    }
    const items = lists[pathname];
    if (items === undefined) {
      if (request.method !== 'GET') return void response.end('{}');
      const object = objects[pathname];
      response.writeHead(object === undefined ? 404 : 200).end(JSON.stringify(object ?? {}));
      return;
    }
    const at = Number(searchParams.get('continue') ?? 0);
    const page = items.slice(at, at + 2);
    const more = at + 2 < items.length ? { continue: String(at + 2) } : {};
    response.end(JSON.stringify({ metadata: { resourceVersion: '10', ...more }, items: page }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await kubernetes?.[Symbol.asyncDispose]();
  kubernetes = undefined;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function transport(clock: Pick<ClockPort, 'after'> = monotonicClock) {
  const kubeConfig = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  kubeConfig.loadFromClusterAndUser(
    { name: 'fake', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'agent', token: 't' },
  );
  return createTransport(kubeConfig, clock);
}

async function watched({ allVolumes = false, clock = monotonicClock as ClockPort } = {}): Promise<Kubernetes> {
  kubernetes = watchKubernetes({
    transport: transport(),
    nodeName: 'node-1',
    mountRoot: '/runtime-mnt',
    allVolumes,
    onError: (path, error) => void errors.push(`${path}: ${error}`),
    onRecovered: () => {},
    clock,
    random: () => 0,
  });
  await kubernetes.synced;
  return kubernetes;
}

const names = (of: Kubernetes) => of.view().pods.map(({ name }) => name);

async function send(path: string, type: string, object: object): Promise<void> {
  await expect.poll(() => watches.has(path), { interval: 2 }).toBe(true);
  watches.get(path)?.write(`${JSON.stringify({ type, object })}\n`);
}

describe('watching Kubernetes', () => {
  it('lists only the pods of its node, in pages', async () => {
    lists['/api/v1/pods'] = ['a', 'b', 'c', 'd', 'e'].map((name) => pod(name));
    expect(names(await watched())).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(
      requests.filter((line) => line.includes('/pods')).every((line) => line.includes('spec.nodeName%3Dnode-1')),
    ).toBe(true);
  });

  it('watches nothing but these pods, and reads only what they use', async () => {
    lists['/api/v1/pods'] = [
      pod('a'),
      pod('b'),
      pod('c', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'foreign' } }] }),
    ];
    objects['/api/v1/namespaces/default/persistentvolumeclaims/foreign'] = {
      metadata: { namespace: 'default', name: 'foreign' },
      spec: { volumeName: 'disk' },
    };
    objects[`${volumesPath}/disk`] = { ...volumeObject({ csi: { driver: 'ebs' } }), metadata: { name: 'disk' } };
    expect(names(await watched())).toEqual(['a', 'b']);
    await expect.poll(() => watches.size, { interval: 2 }).toBe(1);
    expect([...new Set(requests.map((line) => line.replace(/\?.*/, '')))].sort()).toEqual([
      'GET /api/v1/namespaces/default/persistentvolumeclaims/demo',
      'GET /api/v1/namespaces/default/persistentvolumeclaims/foreign',
      'GET /api/v1/persistentvolumes/default-demo',
      'GET /api/v1/persistentvolumes/disk',
      'GET /api/v1/pods',
    ]);
  });

  it('follows additions, changes and deletions', async () => {
    const seen = await watched();
    let changes = 0;
    seen.watch(() => changes++);
    await send('/api/v1/pods', 'ADDED', pod('late'));
    await expect.poll(() => names(seen), { interval: 2 }).toEqual(['app', 'late']);
    await send('/api/v1/pods', 'MODIFIED', pod('late', { containers: [] }));
    await expect.poll(() => seen.view().pods[1]?.containers, { interval: 2 }).toEqual([]);
    await send('/api/v1/pods', 'DELETED', pod('app'));
    await expect.poll(() => names(seen), { interval: 2 }).toEqual(['late']);
    await expect.poll(() => changes, { interval: 2 }).toBe(3);
  });

  it('does not notify of irrelevant changes', async () => {
    const seen = await watched();
    let changes = 0;
    seen.watch(() => changes++);
    const before = seen.view();
    await send('/api/v1/pods', 'MODIFIED', { ...pod('app'), status: { phase: 'Running' } });
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'foreign' } }];
    await send('/api/v1/pods', 'ADDED', pod('other', { volumes }));
    await expect.poll(() => seen.view() !== before, { interval: 2 }).toBe(true);
    await send('/api/v1/pods', 'ADDED', pod('late'));
    await expect.poll(() => names(seen), { interval: 2 }).toEqual(['app', 'late']);
    await expect.poll(() => changes, { interval: 2 }).toBe(1);
  });

  it('resumes after an outage of the API server and keeps its view meanwhile', async () => {
    const seen = await watched();
    await send('/api/v1/pods', 'ADDED', {
      ...pod('late'),
      metadata: { ...pod('late').metadata, resourceVersion: '77' },
    });
    await expect.poll(() => names(seen), { interval: 2 }).toEqual(['app', 'late']);
    const port = (server.address() as AddressInfo).port;
    watches.clear();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(names(seen)).toEqual(['app', 'late']);
    await expect.poll(() => errors.some((line) => line.includes('ECONNREFUSED')), { interval: 5 }).toBe(true);
    requests.length = 0;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await send('/api/v1/pods', 'DELETED', pod('late'));
    await expect.poll(() => names(seen), { interval: 2 }).toEqual(['app']);
    expect(requests.some((line) => line.includes('/pods') && line.includes('resourceVersion=77'))).toBe(true);
    expect(requests.some((line) => line.includes('/pods') && !line.includes('watch='))).toBe(false);
  });

  it('lists again if its version is too old', async () => {
    const seen = await watched();
    lists['/api/v1/pods'] = [pod('fresh')];
    await send('/api/v1/pods', 'ERROR', { code: 410, message: 'too old resource version' });
    await expect.poll(() => names(seen), { interval: 2 }).toEqual(['fresh']);
    expect(errors).toEqual([]);
  });

  it('survives a line that is not JSON', async () => {
    const seen = await watched();
    await expect.poll(() => watches.has('/api/v1/pods'), { interval: 2 }).toBe(true);
    const broken = watches.get('/api/v1/pods');
    watches.clear();
    broken?.write('{"type":\n');
    await send('/api/v1/pods', 'ADDED', pod('late'));
    await expect.poll(() => names(seen), { interval: 2 }).toEqual(['app', 'late']);
    expect(errors).toHaveLength(1);
  });

  describe('with a claim that cannot be read', () => {
    const unread = (path: string) => {
      answer = (request, response) => {
        if (request.url !== path) return false;
        response.writeHead(403).end('{"message":"forbidden"}');
        return true;
      };
    };

    it('starts without its pod, says why, and finds it once it can be read', async () => {
      unread(claimPath);
      const seen = await watched();
      expect(names(seen)).toEqual([]);
      expect(seen.problems()).toEqual([expect.stringMatching(/^persistentvolumeclaims: 1 not read for \d s \(403\)$/)]);
      expect(errors).toEqual([expect.stringContaining('403')]);
      answer = () => false;
      await expect.poll(() => names(seen), { interval: 2 }).toEqual(['app']);
      expect(seen.problems()).toEqual([]);
    });

    it('does not say that a pod has no other volume', async () => {
      const other = '/api/v1/namespaces/default/persistentvolumeclaims/other';
      unread(other);
      const volumes = ['demo', 'other'].map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
      lists['/api/v1/pods'] = [pod('app', { volumes })];
      const seen = await watched();
      expect(seen.view().pods).toMatchObject([{ volumes: ['default-demo'], hasUnreadClaims: true }]);
      // Now it is known that there is no such claim.
      answer = () => false;
      await expect.poll(() => seen.view().pods[0]?.hasUnreadClaims, { interval: 2 }).toBeUndefined();
    });

    it('keeps what it knows of it for a pod that uses it, too', async () => {
      const seen = await watched();
      unread(claimPath);
      await send('/api/v1/pods', 'ADDED', pod('late'));
      await expect.poll(() => names(seen), { interval: 2 }).toEqual(['app', 'late']);
    });
  });

  it('reads the volume again for a new pod', async () => {
    const clock = createModelledClock();
    const seen = await watched({ clock });
    await clock.advance(2_000);
    objects[volumePath] = volumeObject({ accessModes: ['ReadWriteMany'] });
    await send('/api/v1/pods', 'ADDED', pod('late'));
    await expect.poll(() => seen.view().volumes[0]?.accessModes, { interval: 2 }).toEqual(['ReadWriteMany']);
  });

  describe('if all volumes matter', () => {
    const listed = (name: string, annotations: object = {}) => ({
      metadata: { name, resourceVersion: '3', annotations },
    });

    it('watches their metadata, and reads those that may be of this driver', async () => {
      const accepted: unknown[] = [];
      answer = ({ url, headers }) => {
        if (url?.startsWith(`${volumesPath}?`)) accepted.push(headers.accept);
        return false;
      };
      const provisioned = { 'pv.kubernetes.io/provisioned-by': 'ebs.csi.aws.com' };
      lists[volumesPath] = [listed('default-demo'), listed('elsewhere'), listed('disk', provisioned)];
      objects[`${volumesPath}/elsewhere`] = {
        ...volumeObject({ accessModes: ['ReadWriteMany'] }),
        ...listed('elsewhere'),
      };
      const seen = await watched({ allVolumes: true });
      expect(
        seen
          .view()
          .volumes.map(({ name }) => name)
          .sort(),
      ).toEqual(['default-demo', 'elsewhere']);
      expect(requests.filter((line) => line.includes('/disk'))).toEqual([]);
      await expect
        .poll(() => accepted, { interval: 2 })
        .toEqual([
          'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
          'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
          'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
        ]);
      objects[`${volumesPath}/late`] = { ...volumeObject(), ...listed('late') };
      await send(volumesPath, 'ADDED', listed('late'));
      await expect.poll(() => seen.view().volumes.length, { interval: 2 }).toBe(3);
    });
  });
});

describe('the transport', () => {
  it('authenticates, and rejects with the status', async () => {
    const headers: unknown[] = [];
    answer = (request, response) => {
      headers.push(request.headers.authorization);
      response.writeHead(404).end('nothing here');
      return true;
    };
    const { signal } = new AbortController();
    const call = transport().json({ method: 'GET', path: '/x', signal });
    await expect(call).rejects.toBeInstanceOf(ApiError);
    await expect(call).rejects.toMatchObject({ status: 404, message: 'GET /x: 404: nothing here' });
    expect(headers).toEqual(['Bearer t']);
  });

  it('keeps its connection for the next request, and makes another if the server has closed it', async () => {
    const sockets: unknown[] = [];
    let isClosing = false;
    answer = ({ socket }) => {
      if (!isClosing) sockets.push(socket);
      if (isClosing) socket.destroy();
      isClosing = false;
      return socket.destroyed;
    };
    const { json } = transport();
    const get = () => json({ method: 'GET', path: '/api/v1/pods', signal: AbortSignal.timeout(60_000) });
    await get();
    await get();
    expect([sockets.length, new Set(sockets).size]).toEqual([2, 1]);
    isClosing = true;
    await get();
    expect([sockets.length, new Set(sockets).size]).toEqual([3, 2]);
  });

  it.each(['json', 'stream'] as const)('limits the time until a silent server responds (%s)', async (method) => {
    answer = () => true;
    const clock = createModelledClock();
    const { signal } = new AbortController();
    const failure = transport(clock)
      [method]({ method: 'GET', path: '/api/v1/pods?limit=500', signal })
      .catch((error: unknown) => error);
    await expect.poll(() => requests.length, { interval: 2 }).toBe(1);
    await clock.advance(29_000);
    expect(await Promise.race([failure, 'pending'])).toBe('pending');
    await clock.advance(1000);
    expect(await failure).toBeInstanceOf(ApiTimeout);
    expect(await failure).toMatchObject({ message: 'GET /api/v1/pods: no response within 30 s' });
  });

  it('limits the time until a body is complete', async () => {
    answer = (_, response) => response.writeHead(200).write('{"items":');
    const clock = createModelledClock();
    const { signal } = new AbortController();
    const failure = transport(clock)
      .json({ method: 'GET', path: '/x', signal })
      .catch((error: unknown) => error);
    await expect.poll(() => requests.length, { interval: 2 }).toBe(1);
    await clock.advance(30_000);
    expect(await failure).toBeInstanceOf(ApiTimeout);
  });

  it('does not limit the time of a stream that has begun', async () => {
    answer = (_, response) => response.writeHead(200).write('a');
    const clock = createModelledClock();
    const ended = new AbortController();
    const body = await transport(clock).stream({ method: 'GET', path: '/x', signal: ended.signal });
    await clock.advance(3_600_000);
    expect(body.destroyed).toBe(false);
    ended.abort();
    await expect(body.toArray()).rejects.toThrow();
  });
});

describe('the event sender', () => {
  const seen = { count: 3, first: new Date('2026-01-01T00:00:00.123Z'), last: new Date('2026-01-01T00:00:09Z') };
  const dataset = { apiVersion: 'data.fluid.io/v1alpha1', kind: 'Dataset', namespace: 'default', name: 'demo' };
  const draft = { type: 'Normal', reason: 'FuseRecoverSucceed', message: 'm', object: dataset } as const;
  let time = 0;
  const sender = () =>
    createEventSender({
      transport: transport(),
      nodeName: 'node-1',
      randomHex: (digits) => 'f'.repeat(digits),
      now: () => new Date(time),
      signal: new AbortController().signal,
      clock: createModelledClock(),
    });

  it("creates an event on the dataset with the dataset's uid", async () => {
    answer = ({ method }, response) => {
      response.end(JSON.stringify(method === 'GET' ? { metadata: { uid: 'dataset-uid' } } : {}));
      return true;
    };
    expect(await sender().create(draft, seen)).toBe('demo.ffffffffffffffff');
    expect(requests).toEqual([
      'GET /apis/data.fluid.io/v1alpha1/namespaces/default/datasets/demo',
      'POST /api/v1/namespaces/default/events',
    ]);
    expect(bodies).toMatchObject([
      {
        metadata: { name: 'demo.ffffffffffffffff', namespace: 'default' },
        involvedObject: { ...dataset, uid: 'dataset-uid' },
        count: 3,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:09Z',
        source: { component: 'FuseRecover', host: 'node-1' },
      },
    ]);
  });

  it("reads a dataset's uid once in ten minutes", async () => {
    answer = ({ method }, response) => {
      response.end(JSON.stringify(method === 'GET' ? { metadata: { uid: 'dataset-uid' } } : {}));
      return true;
    };
    const { create } = sender();
    const reads = () => requests.filter((line) => line.startsWith('GET')).length;
    for (let i = 0; i < 3; i++) await create(draft, seen);
    expect([reads(), bodies.length]).toEqual([1, 3]);
    expect(bodies[2]).toMatchObject({ involvedObject: { uid: 'dataset-uid' } });
    time += 600_000;
    await create(draft, seen);
    expect(reads()).toBe(2);
  });

  it('updates the count with a patch and reports if the event is gone', async () => {
    expect(await sender().count(draft, 'demo.1', seen)).toBe('counted');
    expect(requests).toEqual(['PATCH /api/v1/namespaces/default/events/demo.1']);
    expect(bodies).toEqual([{ count: 3, lastTimestamp: '2026-01-01T00:00:09Z' }]);
    answer = (_, response) => {
      response.writeHead(404).end();
      return true;
    };
    expect(await sender().count(draft, 'demo.1', seen)).toBe('gone');
  });
});
