import { KubeConfig } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { PollTimeout } from '../../clusters/poll.ts';
import { parseProfile } from '../profiles/load-profile.ts';
import type { Dataset } from './dataset.ts';
import type { ScenarioPod } from './pod.ts';
import { createObjects, findProcess, killProcess, startWithVolume, volumeName, writeFiles } from './profile-volume.ts';
import { Scenario } from './scenario.ts';
import type { Session } from './session.ts';

const unreachable = new KubeConfig();
unreachable.loadFromClusterAndUser({ name: 'c', server: 'http://127.0.0.1:1', skipTLSVerify: false }, { name: 'u' });

const listingDrivers = (...drivers: readonly string[]) =>
  ({
    makeApiClient: () => ({
      listCSINode: async () => ({ items: [{ spec: { drivers: drivers.map((name) => ({ name })) } }] }),
    }),
  }) as unknown as KubeConfig;

interface Cluster {
  readonly kubeConfig?: KubeConfig;
  /** Command lines of the node's processes by pid, at each call with a pattern. */
  readonly processes?: (pattern: string) => Readonly<Record<number, string>>;
  /** Of the pod. */
  readonly uid?: string;
  /** Answers of the API server by method. */
  readonly core?: Readonly<Record<string, () => object>>;
  readonly createObject?: () => Promise<void>;
  readonly process?: string;
}

/** A scenario whose cluster is only what a test gives; everything else of it would be undefined. */
function createPod({
  kubeConfig = unreachable,
  processes,
  core = {},
  createObject,
  uid = 'u',
  process = '{ plugin: "^s3fs" }',
}: Cluster) {
  const profile = parseProfile(
    `{ version: 2, name: mine, promises: { class: none }, periodMs: 1, volume: { driver: x.example.com, attributes: {} }, process: ${process} }`,
    'x.yaml',
  );
  const list = async ({ command = '' }) =>
    Object.entries(processes?.(command) ?? {}).map(([pid, command]) => ({ pid: Number(pid), command }));
  const cluster = { patienceMs: 1, kubeConfig: unreachable, store: {}, processes: list };
  const session = { cluster, profile, signal: new AbortController().signal, agent: {} };
  const notes = { id: 'x', startedAt: 0, finishedAt: 0, checks: [] };
  const scenario = new Scenario(session as unknown as Session, notes);
  Object.assign(cluster, { kubeConfig });
  const writer = { create: async () => {}, ready: () => timeOut('pod v-writer is Running and ready') };
  const namespace = {
    scenario,
    name: 'ns',
    core: Object.fromEntries(Object.entries(core).map(([name, answer]) => [name, async () => answer()])),
    pod: () => writer,
    createObject: createObject ?? (async () => {}),
  };
  const dataset = { namespace, name: 'v', volume: 'pv-1', files: {} } as unknown as Dataset;
  const pod = {
    namespace,
    dataset,
    name: 'demo-app',
    node: 'n',
    container: { namespace: 'ns', pod: 'demo-app', container: 'demo' },
    read: async () => ({ metadata: { uid } }),
  };
  return {
    pod: Object.assign(pod, {
      daemon: { container: () => findProcess(pod as unknown as ScenarioPod) },
    }) as unknown as ScenarioPod,
    dataset,
    scenario,
    profile,
  };
}

function timeOut(condition: string): Promise<never> {
  return Promise.reject(new PollTimeout(`${condition}: not after 1 ms; last seen: nothing`));
}

it('names the driver that is not installed, and those that are', async () => {
  const { scenario } = createPod({ kubeConfig: listingDrivers('y.example.com', 'a.example.com') });
  await expect(startWithVolume(scenario, () => timeOut('pod demo-app is Running and ready'))).rejects.toThrow(
    "the profile's volume.driver does not fit: no CSINode has the driver x.example.com, only: a.example.com, y.example.com; pod demo-app is",
  );
});

it.each([
  ['the driver is there', listingDrivers('x.example.com')],
  ['the cluster does not list drivers', unreachable],
])('names the volume of a pod that does not start if %s', async (_, kubeConfig) => {
  const { scenario } = createPod({ kubeConfig });
  await expect(startWithVolume(scenario, () => timeOut('pod demo-app is Running and ready'))).rejects.toThrow(
    "the profile's volume does not fit: pod demo-app is Running and ready",
  );
});

it('names the object that is refused, and why', async () => {
  const refuse = () => Promise.reject(Object.assign(new Error('spec.capacity:\n is required'), { code: 422 }));
  const { dataset, profile } = createPod({ createObject: refuse });
  await expect(createObjects(dataset, profile.volume as never, 'd')).rejects.toThrow(
    "the profile's volume.objects.0 does not fit: its PersistentVolume is refused: spec.capacity: is required",
  );
});

it('names the claim that is never bound', async () => {
  const claim = () => ({ status: { phase: 'Pending' }, spec: { storageClassName: 'fast' } });
  const { dataset } = createPod({ core: { readNamespacedPersistentVolumeClaim: claim } });
  await expect(volumeName(dataset)).rejects.toThrow(
    /^the profile's volume does not fit: the claim v is Bound: .*phase Pending, StorageClass fast/,
  );
});

it('names the volume that cannot be filled', async () => {
  await expect(writeFiles(createPod({}).dataset)).rejects.toThrow("the profile's fill does not fit: pod v-writer");
});

it.each([
  ['no process', {}, /one process .* has a command line like \^s3fs: .*last seen: none/],
  ['several processes', { 7: 's3fs a', 8: 's3fs b' }, /last seen: 7 s3fs a; 8 s3fs b/],
])('names the pattern that finds %s', async (_, found, message) => {
  const { pod } = createPod({ processes: () => found });
  await expect(findProcess(pod)).rejects.toThrow(/^the profile's process\.plugin does not fit: /);
  await expect(findProcess(pod)).rejects.toThrow(message);
});

it('shows the processes that name the volume or the pod if the pattern finds none', async () => {
  const { pod } = createPod({
    processes: (pattern) => (pattern === '^s3fs' ? {} : { 9: '/usr/bin/s3fs bucket /pods/u-1/mount' }),
    uid: 'u-1',
  });
  await expect(findProcess(pod)).rejects.toThrow(
    /last seen: none; the volume or the pod is named by: 9 \/usr\/bin\/s3fs bucket \/pods\/u-1\/mount$/,
  );
});

const fusePod = (name: string) => ({
  metadata: { name },
  spec: { nodeName: 'n', containers: [{ name: 'fuse' }] },
  status: { phase: 'Running' },
});

it('names the container that the FUSE pod does not have, and those that it has', async () => {
  const process = '{ pod: { namespace: drivers, selector: "volume={volume}", container: s3fs } }';
  const { pod } = createPod({ process, core: { listNamespacedPod: () => ({ items: [fusePod('a')] }) } });
  await expect(findProcess(pod)).rejects.toThrow(
    "the profile's process.pod.container does not fit: the pod a has no container s3fs, only: fuse",
  );
});

it.each([
  ['no pod', [], /last seen: none/],
  ['several pods', [fusePod('a'), fusePod('b')], /last seen: a \(.*\), b \(/],
])('names the selector that finds %s', async (_, items, message) => {
  const process = '{ pod: { namespace: drivers, selector: "volume={volume}", container: fuse } }';
  const { pod } = createPod({ process, core: { listNamespacedPod: () => ({ items }) } });
  await expect(findProcess(pod)).rejects.toThrow(
    /^the profile's process\.pod does not fit: one pod of the namespace drivers with the labels volume=pv-1 is Running/,
  );
  await expect(findProcess(pod)).rejects.toThrow(message);
});

it('names the process that cannot be killed, or that continues', async () => {
  const { pod } = createPod({ processes: () => ({ 7: 's3fs a' }) });
  await expect(killProcess(pod, () => Promise.reject(new Error('EPERM')))).rejects.toThrow(
    "the profile's process.plugin does not fit: it cannot be killed: EPERM",
  );
  await expect(killProcess(pod, async () => {})).rejects.toThrow(
    /^the profile's process\.plugin does not fit: process 7 has ended after SIGKILL: .*last seen: 7 s3fs a/,
  );
});

it('continues once the process has ended, also if another one takes its place', async () => {
  let pid = 7;
  const { pod } = createPod({ processes: () => ({ [pid]: 's3fs a' }) });
  await killProcess(pod, async () => {
    pid = 8;
  });
});
