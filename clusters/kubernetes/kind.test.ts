import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { CannotRun } from '../cluster.ts';
import { kindConfig, kindProvider } from './kind.ts';
import { type CannedReply, FakePrograms, kubeConfig, providerOptions, runId } from './testing/fake-programs.ts';

const request = { nodes: 1, keep: false };
const name = `rekindle-${runId}`;
const version: CannedReply = { to: 'version', stdout: '0.27.0\n' };
const none: CannedReply = { to: 'get clusters', stderr: 'No kind clusters found.\n' };
const deleted: CannedReply = { to: 'delete cluster' };
const exported: CannedReply = { to: 'export logs' };

let fakes: FakePrograms;
beforeEach(() => {
  fakes = new FakePrograms('rekindle-kind');
});
afterEach(() => rmSync(fakes.folder, { recursive: true }));

const called = (verb: string) => fakes.calls.filter((line) => line.startsWith(`kind ${verb}`));

test('creates a cluster with a kubeconfig of its own, and deletes both', async () => {
  fakes.add('kind', [version, none, { to: 'create cluster', kubeConfig }, deleted]);
  const { options } = providerOptions(fakes);
  const file = join(fakes.folder, 'kubeconfig');
  {
    await using cluster = await kindProvider(request).open(options);
    expect(cluster.kubeConfig.getCurrentCluster()?.server).toBe('https://127.0.0.1:1');
    expect(cluster.remains).toBe('nothing');
    expect(called('create')).toEqual([`kind create cluster --name=${name} --config=- --kubeconfig=${file} --retain`]);
    expect(called('delete')).toEqual([]);
  }
  expect(called('delete')).toEqual([`kind delete cluster --name=${name} --kubeconfig=${file}`]);
  expect(existsSync(file)).toBe(false);
});

test('keeps a cluster under another name, and shows how to use and remove it', async () => {
  fakes.add('kind', [version, none, { to: 'create cluster', kubeConfig }, deleted]);
  const { options } = providerOptions(fakes);
  const cluster = await kindProvider({ ...request, keep: true }).open(options);
  await cluster[Symbol.asyncDispose]();
  expect(called('delete')).toEqual([]);
  expect(cluster.remains).toBe('everything');
  expect(cluster.hints.join('\n')).toContain(`kind delete cluster --name rekindle-kept-${runId}`);
  expect(cluster.hints.join('\n')).toContain(`KUBECONFIG=${join(fakes.folder, 'kubeconfig')}`);
});

test('reuses an existing cluster, and keeps it', async () => {
  fakes.add('kind', [version, { to: 'get clusters', stdout: 'other\ndev\n' }, { to: 'export kubeconfig', kubeConfig }]);
  const { options } = providerOptions(fakes);
  const cluster = await kindProvider({ ...request, reuse: 'dev' }).open(options);
  await cluster[Symbol.asyncDispose]();
  expect(called('create')).toEqual([]);
  expect(called('delete')).toEqual([]);
  expect(cluster.remains).toBe('cluster');
});

test.each([
  [{ ...request, reuse: 'dev' }, 'dev-2'],
  [request, `${name}-2`],
])('%#: gives the second cluster of a run another name', async (first, second) => {
  fakes.add('kind', [version, none, { to: 'create cluster', kubeConfig }, deleted]);
  await using cluster = await kindProvider({ ...first, ordinal: 2 }).open(providerOptions(fakes).options);
  expect(cluster.clusterName).toBe(second);
});

test('refuses an existing cluster of the same name', async () => {
  fakes.add('kind', [version, { to: 'get clusters', stdout: `${name}\n` }, deleted]);
  const opening = kindProvider(request).open(providerOptions(fakes).options);
  await expect(opening).rejects.toThrow(CannotRun);
  await expect(opening).rejects.toThrow(`there is a kind cluster ${name} already: --reuse`);
  expect(called('delete')).toEqual([]);
});

test('collects the logs of a cluster that does not start, and removes it', async () => {
  const failing: CannedReply = { to: 'create cluster', exitCode: 1, stderr: 'Creating\nERROR: failed to pull image\n' };
  fakes.add('kind', [version, none, failing, exported, deleted]);
  const opening = kindProvider(request).open(providerOptions(fakes).options);
  await expect(opening).rejects.toThrow(
    `kind cannot create the cluster ${name} (failed to pull image): docker pull or docker load the image of the nodes`,
  );
  await expect(opening).rejects.toThrow(CannotRun);
  expect(called('export logs')).toEqual([`kind export logs --name=${name} ${join(fakes.folder, 'nodes')}`]);
  expect(called('delete')).toHaveLength(1);
});

test('removes a cluster whose creation is interrupted', async () => {
  fakes.add('kind', [version, none, { to: 'create cluster', forever: true }, deleted]);
  const { options, interrupt } = providerOptions(fakes);
  const opening = kindProvider(request).open(options);
  const ended = expect(opening).rejects.toThrow('interrupted');
  await vi.waitFor(() => expect(called('create')).toHaveLength(1), { timeout: 20_000 });
  interrupt();
  await ended;
  expect(called('delete')).toHaveLength(1);
});

test('names kind if it is not installed', async () => {
  const opening = kindProvider(request).open(providerOptions(fakes).options);
  await expect(opening).rejects.toThrow('there is no kind on the PATH: install kind');
  await expect(opening).rejects.toThrow(CannotRun);
});

test('reports a failed deletion with the command that deletes the cluster', async () => {
  fakes.add('kind', [
    version,
    none,
    { to: 'create cluster', kubeConfig },
    { ...deleted, exitCode: 1, stderr: 'ERROR: busy\n' },
  ]);
  const cluster = await kindProvider(request).open(providerOptions(fakes).options);
  await expect(cluster[Symbol.asyncDispose]()).rejects.toThrow(`(busy): kind delete cluster --name ${name}`);
});

test("moves the kubelet's directory of a second node, and makes the usual path lead to it", async () => {
  fakes.add('kind', [version, none, { to: 'create cluster', kubeConfig }, deleted]);
  fakes.add('docker', [{ to: 'exec' }]);
  await using _ = await kindProvider({ ...request, nodes: 2 }).open(providerOptions(fakes).options);
  const moved = fakes.calls.filter((line) => line.startsWith('docker exec'));
  expect(moved).toEqual([expect.stringContaining(`docker exec ${name}-worker sh -c set -e`)]);
});

test('reports a directory of the kubelet that cannot be moved', async () => {
  fakes.add('kind', [version, none, { to: 'create cluster', kubeConfig }, exported, deleted]);
  fakes.add('docker', [{ to: 'exec', exitCode: 1, stderr: 'mv: busy\n' }]);
  const opening = kindProvider({ ...request, nodes: 2 }).open(providerOptions(fakes).options);
  await expect(opening).rejects.toThrow(`the kubelet's directory of ${name}-worker cannot be moved (mv: busy)`);
});

test('configures ordinary nodes and a virtual one, all of the requested image', () => {
  const image = 'kindest/node:v1.30.0';
  expect(parse(kindConfig({ nodes: 2, virtual: true, image }))).toMatchObject({
    nodes: [
      { role: 'control-plane', image },
      { role: 'worker', image, kubeadmConfigPatches: [expect.stringContaining('root-dir: /var/data/kubelet')] },
      { role: 'worker', image, labels: { type: 'virtual-kubelet' } },
    ],
  });
});
