import type { V1DaemonSet, V1Volume } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { copyStandby } from './copy-standby.ts';

/** As Fluid 1.0.x makes it for a JindoRuntime (`charts/jindocache`), read back from an API server. */
const fluidDaemonSet: V1DaemonSet = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: {
    name: 'demo-dataset-jindofs-fuse',
    namespace: 'default',
    uid: '6f9a',
    resourceVersion: '4711',
    generation: 1,
    labels: {
      app: 'jindofs',
      chart: 'jindocache-0.1.0',
      release: 'demo-dataset',
      heritage: 'Helm',
      role: 'jindofs-fuse',
      'app.kubernetes.io/managed-by': 'Helm',
      'fluid.io/dataset-id': 'default-demo-dataset',
      'fluid.io/managed-by': 'fluid',
    },
    annotations: { 'meta.helm.sh/release-name': 'demo-dataset', 'deprecated.daemonset.template.generation': '1' },
    ownerReferences: [{ apiVersion: 'data.fluid.io/v1alpha1', kind: 'JindoRuntime', name: 'demo-dataset', uid: '1' }],
  },
  spec: {
    selector: { matchLabels: { app: 'jindofs', release: 'demo-dataset', role: 'jindofs-fuse' } },
    updateStrategy: { type: 'OnDelete' },
    template: {
      metadata: {
        labels: { app: 'jindofs', release: 'demo-dataset', role: 'jindofs-fuse', 'fluid.io/managed-by': 'fluid' },
        annotations: { 'sidecar.istio.io/inject': 'false' },
      },
      spec: {
        hostNetwork: true,
        dnsPolicy: 'ClusterFirstWithHostNet',
        nodeSelector: { 'fluid.io/f-default-demo-dataset': 'true' },
        priorityClassName: 'system-node-critical',
        terminationGracePeriodSeconds: 60,
        tolerations: [{ operator: 'Exists' }],
        containers: [
          {
            name: 'jindofs-fuse',
            image: 'registry.example.com/jindofs/smartdata:6.2.0',
            command: ['/entrypoint.sh'],
            args: ['jindocache', 'fuse', '-okernel_cache', '-oro'],
            env: [{ name: 'FLUID_FUSE_MOUNTPOINT', value: '/jfs/jindofs-fuse' }],
            lifecycle: { preStop: { exec: { command: ['/prestop.sh'] } } },
            ports: [{ name: 'metrics', containerPort: 20185, hostPort: 20185 }],
            securityContext: { privileged: true },
            volumeMounts: [
              { name: 'jindofs-fuse-device', mountPath: '/dev/fuse' },
              { name: 'jindofs-fuse-mount', mountPath: '/jfs', mountPropagation: 'Bidirectional' },
              { name: 'datavolume-1', mountPath: '/mnt/disk1' },
              { name: 'mem', mountPath: '/dev/shm' },
              { name: 'hadoop-conf', mountPath: '/hdfs', readOnly: true },
              { name: 'bigboot-config', mountPath: '/jfs-conf' },
              { name: 'volume-localtime', mountPath: '/etc/localtime' },
              { name: 'log-socket', mountPath: '/var/log.sock' },
            ],
          },
        ],
        volumes: [
          { name: 'jindofs-fuse-device', hostPath: { path: '/dev/fuse', type: 'CharDevice' } },
          {
            name: 'jindofs-fuse-mount',
            hostPath: { path: '/runtime-mnt/jindo/default/demo-dataset', type: 'DirectoryOrCreate' },
          },
          { name: 'datavolume-1', hostPath: { path: '/mnt/disk1/', type: 'DirectoryOrCreate' } },
          { name: 'mem', hostPath: { path: '/dev/shm', type: 'Directory' } },
          { name: 'hadoop-conf', hostPath: { path: '/opt/hadoop' } },
          { name: 'bigboot-config', configMap: { name: 'demo-dataset-jindofs-config' } },
          { name: 'volume-localtime', hostPath: { path: '/etc/localtime', type: '' } },
          { name: 'log-socket', hostPath: { path: '/data/log.sock', type: 'Socket' } },
        ],
      },
    },
  },
  status: { currentNumberScheduled: 1 } as NonNullable<V1DaemonSet['status']>,
};

const options = { namespace: 'default', dataset: 'demo-dataset', number: 0 };
const copy = copyStandby(fluidDaemonSet, options);
const { template, selector } = copy.spec ?? { template: {}, selector: {} };
const pathsOf = (volumes: readonly V1Volume[] = []) =>
  Object.fromEntries(volumes.flatMap(({ name, hostPath }) => (hostPath ? [[name, hostPath.path]] : [])));

/** Deep copies and changes the DaemonSet. */
const changed = (change: (original: V1DaemonSet) => void) => {
  const original = structuredClone(fluidDaemonSet);
  change(original);
  return original;
};

describe('a standby', () => {
  it('has a name and labels of its own, and nobody owns it', () => {
    expect(copy.metadata).toEqual({
      name: 'demo-dataset-jindofs-fuse-standby-0',
      namespace: 'default',
      labels: {
        app: 'jindofs',
        release: 'demo-dataset',
        role: 'jindofs-fuse-standby-0',
        'app.kubernetes.io/managed-by': 'rekindle',
        'rekindle.dev/standby-of': 'demo-dataset',
        'rekindle.dev/standby-number': '0',
      },
    });
    expect(copy).not.toHaveProperty('status');
  });

  it('has pods that it finds and the original does not', () => {
    const labels = template?.metadata?.labels ?? {};
    const matches = (wanted: Readonly<Record<string, string>> = {}) =>
      Object.entries(wanted).every(([key, value]) => labels[key] === value);
    expect(matches(selector.matchLabels)).toBe(true);
    expect(matches(fluidDaemonSet.spec?.selector.matchLabels)).toBe(false);
    expect(Object.keys(labels).filter((key) => key.startsWith('fluid.io/'))).toEqual([]);
  });

  it('mounts, and writes its cache, in directories of its own, and shares what no daemon writes', () => {
    const own = '/default/demo-dataset/standby-0';
    expect(pathsOf(template?.spec?.volumes)).toEqual({
      'jindofs-fuse-device': '/dev/fuse',
      'jindofs-fuse-mount': `/runtime-mnt/jindo${own}`,
      'datavolume-1': `/mnt/disk1${own}`,
      mem: `/dev/shm${own}`,
      'hadoop-conf': '/opt/hadoop',
      'volume-localtime': '/etc/localtime',
      'log-socket': '/data/log.sock',
    });
    expect(template?.spec?.volumes).toContainEqual({
      name: 'bigboot-config',
      configMap: { name: 'demo-dataset-jindofs-config' },
    });
  });

  it('has a network of its own, and no port', () => {
    expect(template?.spec).not.toHaveProperty('hostNetwork');
    expect(template?.spec).toMatchObject({ dnsPolicy: 'ClusterFirst' });
    expect(template?.spec?.containers[0]).not.toHaveProperty('ports');
  });

  it('is otherwise the same, on the same nodes', () => {
    const { ports: _, ...container } = fluidDaemonSet.spec?.template.spec?.containers[0] ?? { name: '' };
    expect(template?.spec).toMatchObject({
      containers: [container],
      nodeSelector: { 'fluid.io/f-default-demo-dataset': 'true' },
      tolerations: [{ operator: 'Exists' }],
      terminationGracePeriodSeconds: 60,
    });
    expect(copy.spec?.updateStrategy).toEqual({ type: 'OnDelete' });
  });

  it('does not change the original', () => {
    const before = structuredClone(fluidDaemonSet);
    copyStandby(fluidDaemonSet, { ...options, number: 2 });
    expect(fluidDaemonSet).toEqual(before);
  });

  it('changes another label if the selector has no role', () => {
    const original = changed(({ spec }) => {
      if (spec) spec.selector = { matchLabels: { release: 'demo-dataset' } };
    });
    expect(copyStandby(original, options).spec?.template.metadata?.labels).toMatchObject({
      role: 'jindofs-fuse',
      release: 'demo-dataset-standby-0',
    });
  });

  it('is refused without a directory of the dataset, with the directories that there are', () => {
    expect(() => copyStandby(fluidDaemonSet, { ...options, dataset: 'other' })).toThrow(
      'has no hostPath that ends in /default/other, where its daemon mounts; found: /dev/fuse, /runtime-mnt/jindo/default/demo-dataset,',
    );
  });

  it('is refused if no label of the selector can be changed', () => {
    const original = changed(({ spec }) => {
      if (spec) spec.selector = { matchLabels: { 'fluid.io/dataset-id': 'x' } };
    });
    expect(() => copyStandby(original, options)).toThrow('has no label that can be changed');
  });
});
