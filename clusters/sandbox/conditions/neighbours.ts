import { CoreV1Api } from '@kubernetes/client-node';
import { driverName } from '../../../recovery/engine/model.ts';
import { programs } from '../paths.ts';
import { startServing } from '../serving-process.ts';
import { type ConditionNode, NeighbourMounts, type Neighbours, type NodeCondition } from './condition.ts';

export const silentNeighbours: NodeCondition = {
  name: 'silent-neighbours',
  title: 'twelve FUSE mounts never answer INIT: those of other drivers, and sources of other datasets of this driver',
  reports: ['sysbox#1018'],
  begin: (node) => startMounts(node, { name: 'silent', count: 12, sources: 4 }),
};

export const hungNeighbours: NodeCondition = {
  name: 'hung-neighbours',
  title: 'twelve FUSE mounts are of a daemon that is stopped, some of them sources of other datasets of this driver',
  reports: ['lxcfs#471', 'tophat#201'],
  begin: (node) => startMounts(node, { name: 'hung', count: 12, sources: 4 }),
};

export const manyDescriptors: NodeCondition = {
  name: 'many-descriptors',
  title: 'one process holds 100,000 descriptors, or as many as this machine allows',
  reports: ['cadvisor#3233', 'scope#3078'],
  async begin({ environment, logFile }) {
    const script = 'ulimit -n "$(ulimit -Hn)"; exec "$@"';
    const argv = [
      '/bin/sh',
      '-c',
      script,
      'descriptors',
      process.execPath,
      programs.neighbours,
      'descriptors',
      '100000',
    ];
    await startServing({ name: 'process with many descriptors', argv, environment, logFile }).ready;
    return { mounts: new NeighbourMounts() };
  },
};

export const secondKubelet: NodeCondition = {
  name: 'second-kubelet',
  title: 'another process is called kubelet and has a lower pid, in a container of a nested cluster',
  reports: ['kind#1614'],
  async begin({ environment, logFile, directory, kubeletRoot, mountRoot }) {
    const script = [
      'mount -t tmpfs nested "$0" && mount --bind "$0" "$1" && mount --bind "$0" "$2"',
      'printf kubelet >/proc/self/comm',
      'echo \'{"event":"ready"}\'',
      'while :; do sleep 3600 & wait $!; done',
    ].join('\n');
    const argv = ['unshare', '--mount', '--propagation=private', '--pid', '--fork', '--kill-child', '/bin/sh', '-c'];
    await startServing({
      name: 'second kubelet',
      argv: [...argv, script, directory, kubeletRoot, mountRoot],
      environment,
      logFile,
    }).ready;
    return { mounts: new NeighbourMounts() };
  },
};

interface MountsOptions {
  readonly name: 'silent' | 'hung';
  readonly count: number;
  /** How many of them are sources of datasets. */
  readonly sources: number;
}

async function startMounts(node: ConditionNode, { name, count, sources }: MountsOptions): Promise<Neighbours> {
  const { directory, environment, kubeConfig, logFile, mountRoot } = node;
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const datasets = Array.from({ length: sources }, (_, index) => `${name}-${index}`);
  const sourceOf = (dataset: string) => `${mountRoot}/jindo/neighbours/${dataset}/jindofs-fuse`;
  await Promise.all(
    datasets.map((dataset) => {
      const volumeHandle = `neighbours-${dataset}`;
      const csi = { driver: driverName, volumeHandle, volumeAttributes: { fluid_path: sourceOf(dataset) } };
      const spec = { accessModes: ['ReadOnlyMany'], capacity: { storage: '1Gi' }, csi };
      return api.createPersistentVolume({ body: { metadata: { name: volumeHandle }, spec } });
    }),
  );
  const mountPoints = [
    ...datasets.map(sourceOf),
    ...Array.from({ length: count - sources }, (_, index) => `${directory}/${index}`),
  ];
  const argv = [process.execPath, programs.neighbours, name, ...mountPoints];
  const { process: daemon, ready } = startServing({ name: `daemon of ${name} mounts`, argv, environment, logFile });
  await ready;
  if (name === 'hung') daemon.kill('SIGSTOP');
  const mounts = new NeighbourMounts();
  for (const path of mountPoints) mounts.add(path);
  return { mounts };
}
