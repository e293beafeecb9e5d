import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CannotRun } from '../cluster.ts';
import { placeOptions, runId, servedKubeConfig } from '../testing/place-options.ts';
import { type Answer, Recorder } from '../testing/recorder.ts';
import { minikubePlace } from './minikube-place.ts';
import { parseProfiles } from './minikube-program.ts';

const wishes = { nodes: 1, keep: false };
const name = `rekindle-${runId}`;
const version: Answer = { to: 'version', stdout: 'v1.37.0\n' };
const none: Answer = { to: 'profile list', stdout: '{"invalid":[],"valid":[]}\n' };
const deleted: Answer = { to: 'delete' };

let recorder: Recorder;
beforeEach(() => {
  recorder = new Recorder(mkdtempSync(join(tmpdir(), 'rekindle-minikube-')));
});
afterEach(() => rmSync(recorder.folder, { recursive: true }));

const called = (verb: string) => recorder.calls.filter((line) => line.startsWith(`minikube ${verb}`));

test('a cluster is made with one node more, which becomes the virtual one, is filled and deleted', async () => {
  await using served = await servedKubeConfig();
  recorder.add('minikube', [
    version,
    none,
    { to: 'start', kubeConfig: served.kubeConfig },
    { to: 'image load' },
    deleted,
  ]);
  {
    await using place = await minikubePlace(wishes).open(placeOptions(recorder).options);
    expect(called('start')).toEqual([
      `minikube start --profile=${name} --embed-certs --interactive=false --driver=docker --nodes=2`,
    ]);
    expect(served.patched).toEqual([
      { url: `/api/v1/nodes/${name}-m02`, body: { metadata: { labels: { type: 'virtual-kubelet' } } } },
    ]);
    await place.loadImages?.(['rekindle/harness:abc']);
    expect(called('image load')).toEqual([expect.stringMatching(/images\.tar --profile=rekindle-/)]);
  }
  expect(called('delete')).toEqual([`minikube delete --profile=${name}`]);
});

test.each([
  ['v1.30.0', '--kubernetes-version=v1.30.0'],
  ['gcr.io/k8s-minikube/kicbase:v0.0.48', '--base-image=gcr.io/k8s-minikube/kicbase:v0.0.48'],
])('%s is asked for as %s', async (nodeImage, flag) => {
  await using served = await servedKubeConfig();
  recorder.add('minikube', [version, none, { to: 'start', kubeConfig: served.kubeConfig }, deleted]);
  await using _ = await minikubePlace({ ...wishes, nodeImage }).open(placeOptions(recorder).options);
  expect(called('start')[0]).toContain(flag);
});

test('a profile that is there is started, used and left', async () => {
  await using served = await servedKubeConfig();
  const profiles: Answer = { to: 'profile list', stdout: '{"invalid":[],"valid":[{"Name":"dev"}]}\n' };
  recorder.add('minikube', [version, profiles, { to: 'start', kubeConfig: served.kubeConfig }]);
  const place = await minikubePlace({ ...wishes, reuse: 'dev' }).open(placeOptions(recorder).options);
  await place[Symbol.asyncDispose]();
  expect(called('start')).toEqual(['minikube start --profile=dev --embed-certs --interactive=false']);
  expect(called('delete')).toEqual([]);
  expect(place.leaves).toBe('cluster');
});

test('where it does not come up, its logs are taken and it is removed', async () => {
  const failing: Answer = { to: 'start', exitCode: 80, stderr: 'X Exiting due to GUEST_PROVISION: no space\n' };
  recorder.add('minikube', [version, none, failing, { to: 'logs' }, deleted]);
  const opening = minikubePlace(wishes).open(placeOptions(recorder).options);
  await expect(opening).rejects.toThrow(`minikube cannot start ${name} (X Exiting due to GUEST_PROVISION: no space)`);
  await expect(opening).rejects.toThrow(CannotRun);
  expect(called('logs')).toEqual([`minikube logs --profile=${name} --file=${join(recorder.folder, 'minikube.log')}`]);
  expect(called('delete')).toHaveLength(1);
});

test('interrupted while it is being made, it is removed', async () => {
  recorder.add('minikube', [version, none, { to: 'start', forever: true }, deleted]);
  const { options, interrupt } = placeOptions(recorder);
  const ended = expect(minikubePlace(wishes).open(options)).rejects.toThrow('interrupted');
  await vi.waitFor(() => expect(called('start')).toHaveLength(1), { timeout: 20_000 });
  interrupt();
  await ended;
  expect(called('delete')).toHaveLength(1);
});

test('without minikube it says what to install', async () => {
  const opening = minikubePlace(wishes).open(placeOptions(recorder).options);
  await expect(opening).rejects.toThrow('there is no minikube on the PATH: install minikube');
});

test('profiles are known, the broken ones too', () => {
  expect(parseProfiles('{"invalid":[{"Name":"broken"}],"valid":[{"Name":"good"}]}')).toEqual(['broken', 'good']);
  expect(parseProfiles('')).toEqual([]);
});
