import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { CannotRun } from '../cluster.ts';
import { kubeConfig, placeOptions, runId } from '../testing/place-options.ts';
import { type Answer, Recorder } from '../testing/recorder.ts';
import { kindConfig } from './kind-config.ts';
import { kindPlace } from './kind-place.ts';

const wishes = { nodes: 1, keep: false };
const name = `rekindle-${runId}`;
const version: Answer = { to: 'version', stdout: '0.27.0\n' };
const none: Answer = { to: 'get clusters', stderr: 'No kind clusters found.\n' };
const deleted: Answer = { to: 'delete cluster' };
const exported: Answer = { to: 'export logs' };

let recorder: Recorder;
beforeEach(() => {
  recorder = new Recorder(mkdtempSync(join(tmpdir(), 'rekindle-kind-')));
});
afterEach(() => rmSync(recorder.folder, { recursive: true }));

const called = (verb: string) => recorder.calls.filter((line) => line.startsWith(`kind ${verb}`));

test('a cluster is made with a kubeconfig of its own, and is deleted with it', async () => {
  recorder.add('kind', [version, none, { to: 'create cluster', kubeConfig }, deleted]);
  const { options } = placeOptions(recorder);
  const file = join(recorder.folder, 'kubeconfig');
  {
    await using place = await kindPlace(wishes).open(options);
    expect(place.kubeConfig.getCurrentCluster()?.server).toBe('https://127.0.0.1:1');
    expect(place.leaves).toBe('nothing');
    expect(called('create')).toEqual([`kind create cluster --name=${name} --config=- --kubeconfig=${file} --retain`]);
    expect(called('delete')).toEqual([]);
  }
  expect(called('delete')).toEqual([`kind delete cluster --name=${name} --kubeconfig=${file}`]);
  expect(existsSync(file)).toBe(false);
});

test('a cluster to be kept has a name of its own, stays, and its use and removal are told', async () => {
  recorder.add('kind', [version, none, { to: 'create cluster', kubeConfig }, deleted]);
  const { options } = placeOptions(recorder);
  const place = await kindPlace({ ...wishes, keep: true }).open(options);
  await place[Symbol.asyncDispose]();
  expect(called('delete')).toEqual([]);
  expect(place.leaves).toBe('everything');
  expect(place.afterwards.join('\n')).toContain(`kind delete cluster --name rekindle-kept-${runId}`);
  expect(place.afterwards.join('\n')).toContain(`KUBECONFIG=${join(recorder.folder, 'kubeconfig')}`);
});

test('a cluster that is there is used again, and stays', async () => {
  recorder.add('kind', [
    version,
    { to: 'get clusters', stdout: 'other\ndev\n' },
    { to: 'export kubeconfig', kubeConfig },
  ]);
  const { options } = placeOptions(recorder);
  const place = await kindPlace({ ...wishes, reuse: 'dev' }).open(options);
  await place[Symbol.asyncDispose]();
  expect(called('create')).toEqual([]);
  expect(called('delete')).toEqual([]);
  expect(place.leaves).toBe('cluster');
});

test('a cluster of that name that is there already is not touched', async () => {
  recorder.add('kind', [version, { to: 'get clusters', stdout: `${name}\n` }, deleted]);
  const opening = kindPlace(wishes).open(placeOptions(recorder).options);
  await expect(opening).rejects.toThrow(CannotRun);
  await expect(opening).rejects.toThrow(`there is a kind cluster ${name} already: --reuse`);
  expect(called('delete')).toEqual([]);
});

test('where it does not come up, its nodes’ logs are taken and it is removed', async () => {
  const failing: Answer = { to: 'create cluster', exitCode: 1, stderr: 'Creating\nERROR: failed to pull image\n' };
  recorder.add('kind', [version, none, failing, exported, deleted]);
  const opening = kindPlace(wishes).open(placeOptions(recorder).options);
  await expect(opening).rejects.toThrow(
    `kind cannot create the cluster ${name} (failed to pull image): docker pull or docker load the image of the nodes`,
  );
  await expect(opening).rejects.toThrow(CannotRun);
  expect(called('export logs')).toEqual([`kind export logs --name=${name} ${join(recorder.folder, 'nodes')}`]);
  expect(called('delete')).toHaveLength(1);
});

test('interrupted while it is being made, it is removed', async () => {
  recorder.add('kind', [version, none, { to: 'create cluster', forever: true }, deleted]);
  const { options, interrupt } = placeOptions(recorder);
  const opening = kindPlace(wishes).open(options);
  const ended = expect(opening).rejects.toThrow('interrupted');
  await vi.waitFor(() => expect(called('create')).toHaveLength(1), { timeout: 20_000 });
  interrupt();
  await ended;
  expect(called('delete')).toHaveLength(1);
});

test('without kind it says what to install', async () => {
  const opening = kindPlace(wishes).open(placeOptions(recorder).options);
  await expect(opening).rejects.toThrow('there is no kind on the PATH: install kind');
  await expect(opening).rejects.toThrow(CannotRun);
});

test('a deletion that fails is told with the command that would do it', async () => {
  recorder.add('kind', [
    version,
    none,
    { to: 'create cluster', kubeConfig },
    { ...deleted, exitCode: 1, stderr: 'ERROR: busy\n' },
  ]);
  const place = await kindPlace(wishes).open(placeOptions(recorder).options);
  await expect(place[Symbol.asyncDispose]()).rejects.toThrow(`(busy): kind delete cluster --name ${name}`);
});

test('nodes are ordinary ones and a virtual one, all of the image that is asked for', () => {
  const image = 'kindest/node:v1.30.0';
  expect(parse(kindConfig({ nodes: 2, virtual: true, image }))).toMatchObject({
    nodes: [
      { role: 'control-plane', image },
      { role: 'worker', image },
      { role: 'worker', image, labels: { type: 'virtual-kubelet' } },
    ],
  });
});
