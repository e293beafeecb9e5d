import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CannotRun } from '../cluster.ts';
import { minikubeProvider, parseProfiles } from './minikube.ts';
import { type CannedReply, FakePrograms, providerOptions, runId, servedKubeConfig } from './testing/fake-programs.ts';

const request = { nodes: 1, keep: false };
const name = `rekindle-${runId}`;
const version: CannedReply = { to: 'version', stdout: 'v1.37.0\n' };
const none: CannedReply = { to: 'profile list', stdout: '{"invalid":[],"valid":[]}\n' };
const deleted: CannedReply = { to: 'delete' };

let fakes: FakePrograms;
beforeEach(() => {
  fakes = new FakePrograms('rekindle-minikube');
});
afterEach(() => rmSync(fakes.folder, { recursive: true }));

const called = (verb: string) => fakes.calls.filter((line) => line.startsWith(`minikube ${verb}`));

test('creates a cluster with one more node, the virtual one; fills and deletes it', async () => {
  await using served = await servedKubeConfig();
  fakes.add('minikube', [version, none, { to: 'start', kubeConfig: served.kubeConfig }, { to: 'image load' }, deleted]);
  {
    await using cluster = await minikubeProvider(request).open(providerOptions(fakes).options);
    expect(called('start')).toEqual([
      `minikube start --profile=${name} --embed-certs --interactive=false --driver=docker --nodes=2`,
    ]);
    expect(served.patched).toEqual([
      { url: `/api/v1/nodes/${name}-m02`, body: { metadata: { labels: { type: 'virtual-kubelet' } } } },
    ]);
    await cluster.loadImages?.(['rekindle/harness:abc']);
    expect(called('image load')).toEqual([expect.stringMatching(/images\.tar --profile=rekindle-/)]);
  }
  expect(called('delete')).toEqual([`minikube delete --profile=${name}`]);
});

test.each([
  ['v1.30.0', '--kubernetes-version=v1.30.0'],
  ['gcr.io/k8s-minikube/kicbase:v0.0.48', '--base-image=gcr.io/k8s-minikube/kicbase:v0.0.48'],
])('%s is asked for as %s', async (nodeImage, flag) => {
  await using served = await servedKubeConfig();
  fakes.add('minikube', [version, none, { to: 'start', kubeConfig: served.kubeConfig }, deleted]);
  await using _ = await minikubeProvider({ ...request, nodeImage }).open(providerOptions(fakes).options);
  expect(called('start')[0]).toContain(flag);
});

test('starts, uses and keeps an existing profile', async () => {
  await using served = await servedKubeConfig();
  const profiles: CannedReply = { to: 'profile list', stdout: '{"invalid":[],"valid":[{"Name":"dev"}]}\n' };
  fakes.add('minikube', [version, profiles, { to: 'start', kubeConfig: served.kubeConfig }]);
  const cluster = await minikubeProvider({ ...request, reuse: 'dev' }).open(providerOptions(fakes).options);
  await cluster[Symbol.asyncDispose]();
  expect(called('start')).toEqual(['minikube start --profile=dev --embed-certs --interactive=false']);
  expect(called('delete')).toEqual([]);
  expect(cluster.remains).toBe('cluster');
});

test('collects the logs of a cluster that does not start, and removes it', async () => {
  const failing: CannedReply = { to: 'start', exitCode: 80, stderr: 'X Exiting due to GUEST_PROVISION: no space\n' };
  fakes.add('minikube', [version, none, failing, { to: 'logs' }, deleted]);
  const opening = minikubeProvider(request).open(providerOptions(fakes).options);
  await expect(opening).rejects.toThrow(`minikube cannot start ${name} (X Exiting due to GUEST_PROVISION: no space)`);
  await expect(opening).rejects.toThrow(CannotRun);
  expect(called('logs')).toEqual([`minikube logs --profile=${name} --file=${join(fakes.folder, 'minikube.log')}`]);
  expect(called('delete')).toHaveLength(1);
});

test('removes a cluster whose creation is interrupted', async () => {
  fakes.add('minikube', [version, none, { to: 'start', forever: true }, deleted]);
  const { options, interrupt } = providerOptions(fakes);
  const ended = expect(minikubeProvider(request).open(options)).rejects.toThrow('interrupted');
  await vi.waitFor(() => expect(called('start')).toHaveLength(1), { timeout: 20_000 });
  interrupt();
  await ended;
  expect(called('delete')).toHaveLength(1);
});

test('names minikube if it is not installed', async () => {
  const opening = minikubeProvider(request).open(providerOptions(fakes).options);
  await expect(opening).rejects.toThrow('there is no minikube on the PATH: install minikube');
});

test('lists profiles, including broken ones', () => {
  expect(parseProfiles('{"invalid":[{"Name":"broken"}],"valid":[{"Name":"good"}]}')).toEqual(['broken', 'good']);
  expect(parseProfiles('')).toEqual([]);
});
