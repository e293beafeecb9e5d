import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { docker, parseContainers, requestDocker } from './containers.ts';

test('ignores containers without the label of a cluster', () => {
  const listed = [
    { Id: 'a1', Names: ['/store'], Labels: { 'io.x-k8s.kind.cluster': 'rekindle-20261122-134501-k3f9' } },
    { Id: 'b2', Names: ['/other'], Labels: { other: 'rekindle-20261122-134501-k3f9' } },
    { Id: 'c3', Names: [], Labels: {} },
  ];
  expect(parseContainers(listed)).toEqual([{ id: 'a1', name: 'store', runId: '20261122-134501-k3f9' }]);
});

test('finds the nodes of clusters named after a run, but not of clusters that are kept', () => {
  const node = (Id: string, Labels: Readonly<Record<string, string>>) => ({ Id, Names: [`/${Id}`], Labels });
  const listed = [
    node('of-kind', { 'io.x-k8s.kind.cluster': 'rekindle-20261122-134501-k3f9' }),
    node('of-minikube', { 'name.minikube.sigs.k8s.io': 'rekindle-20261122-134501-k3f9' }),
    node('kept', { 'io.x-k8s.kind.cluster': 'rekindle-kept-20261122-134501-k3f9' }),
    node('of-somebody', { 'io.x-k8s.kind.cluster': 'rekindle-dev' }),
  ];
  expect(parseContainers(listed).map(({ name }) => name)).toEqual(['of-kind', 'of-minikube']);
});

const container = {
  Id: 'abc',
  Names: ['/store'],
  Labels: { 'io.x-k8s.kind.cluster': 'rekindle-20261122-134501-k3f9' },
};
const answers: Readonly<Record<string, readonly [status: number, body: unknown]>> = {
  'GET /containers/json?all=1&filters=%7B%22label%22%3A%5B%22io.x-k8s.kind.cluster%22%5D%7D': [200, [container]],
  'GET /containers/json?all=1&filters=%7B%22label%22%3A%5B%22name.minikube.sigs.k8s.io%22%5D%7D': [200, []],
  'DELETE /containers/abc?force=1&v=1': [204, ''],
  'DELETE /containers/gone?force=1&v=1': [404, { message: 'No such container' }],
  'DELETE /containers/busy?force=1&v=1': [409, { message: 'removal is in progress' }],
};

let folder: string;
let server: Server;
let env: { readonly DOCKER_HOST: string };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rekindle-docker-'));
  const socket = join(folder, 'docker.sock');
  env = { DOCKER_HOST: `unix://${socket}` };
  server = createServer(({ method, url }, response) => {
    const [status, body] = answers[`${method} ${url}`] ?? [500, `${method} ${url}`];
    response.writeHead(status).end(status === 204 ? undefined : JSON.stringify(body));
  });
  await once(server.listen(socket), 'listening');
});

afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

test('lists containers of runs by their label, and removes them by force', async () => {
  const runtime = docker(env);
  const [found] = await runtime.list();
  expect(found).toEqual({ id: 'abc', name: 'store', runId: '20261122-134501-k3f9' });
  if (found === undefined) return;
  await runtime.remove(found);
  await runtime.remove({ ...found, id: 'gone' });
  await expect(runtime.remove({ ...found, id: 'busy' })).rejects.toThrow('Docker says 409 {"message":"removal is');
});

test.each(['unix:///nowhere', 'tcp://127.0.0.1:1'])('treats %s as a Docker without containers', async (host) => {
  expect(await requestDocker({ method: 'GET', path: '/version', env: { DOCKER_HOST: host } })).toBeUndefined();
  expect(await docker({ DOCKER_HOST: host }).list()).toEqual([]);
});
