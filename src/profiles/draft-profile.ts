import type { V1CSIDriver, V1DaemonSet, V1Pod, V1StorageClass } from '@kubernetes/client-node';
import { stringify } from 'yaml';

/** What a cluster answers about its CSI drivers. */
export interface ClusterDrivers {
  readonly drivers: readonly V1CSIDriver[];
  readonly daemonSets: readonly V1DaemonSet[];
  readonly classes: readonly V1StorageClass[];
  readonly pods: readonly V1Pod[];
}

const nameOf = ({ metadata }: { readonly metadata?: { readonly name?: string } }) => metadata?.name ?? '';

/** Names of the CSI drivers that can be chosen. */
export const driverNames = ({ drivers }: ClusterDrivers): readonly string[] => drivers.map(nameOf).toSorted();

/** Sidecars of every node plugin. */
const sidecar = /registrar|liveness|healthmonitor/;

/** A first profile of a driver, as YAML: what the cluster shows is filled in, and what it cannot show is marked with TODO. */
export function draftProfile(cluster: ClusterDrivers, driver: string): string {
  const plugin = cluster.daemonSets.find((daemonSet) => isNodePlugin(daemonSet, driver));
  const storage = cluster.classes.find(({ provisioner }) => provisioner === driver);
  const fuse = cluster.pods.find((pod) => servesMounts(pod, plugin));
  const containers = (plugin?.spec?.template.spec?.containers ?? []).map(({ name }) => name);
  const container = containers.find((name) => !sidecar.test(name)) ?? containers[0];
  const profile = {
    version: 2,
    name: driver.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, ''),
    promises: { class: 'none' },
    volume: {
      driver,
      ...(storage
        ? { objects: [claim(nameOf(storage))] }
        : { attributes: { bucket: '{bucket}', directory: '{directory}' } }),
    },
    process: fuse ? { pod: fusePod(fuse) } : { plugin: '^TODO .*{volume}' },
    restartedBy: fuse ? 'kubelet' : 'nobody',
    ...(plugin && {
      find: {
        daemonSet: { namespace: plugin.metadata?.namespace ?? '', name: nameOf(plugin), container: container ?? '' },
      },
    }),
  };
  return `${[...remarks({ plugin, storage, fuse, driver })].map((line) => `# ${line}\n`).join('')}${stringify(profile, { lineWidth: 0 })}`;
}

interface Found {
  readonly driver: string;
  readonly plugin: V1DaemonSet | undefined;
  readonly storage: V1StorageClass | undefined;
  readonly fuse: V1Pod | undefined;
}

function* remarks({ driver, plugin, storage, fuse }: Found): Iterable<string> {
  yield `A draft for ${driver}. TODO: promises.class, which nothing but its documentation shows.`;
  if (!plugin)
    yield 'TODO: find.daemonSet. No DaemonSet has the name of the driver in its arguments, variables or host paths.';
  yield storage
    ? `The StorageClass ${nameOf(storage)} is there. TODO: if its volumes begin empty, "fill: pod".`
    : 'TODO: the attributes and secrets of the volume. No StorageClass has the driver as its provisioner.';
  yield fuse
    ? `The pod ${nameOf(fuse)} mounts on its node. TODO: labels that lead from a volume to its pod, with {volume}.`
    : 'TODO: the command line of the FUSE process. No pod but the node plugin mounts on its node.';
}

/** Node plugins name their driver as the directory of their socket, or as an argument of the registrar. */
function isNodePlugin({ spec }: V1DaemonSet, driver: string): boolean {
  const { containers = [], volumes = [] } = spec?.template.spec ?? {};
  const words = [
    ...volumes.map(({ hostPath }) => hostPath?.path ?? ''),
    ...containers.flatMap(({ args = [], command = [], env = [] }) => [
      ...command,
      ...args,
      ...env.map(({ value = '' }) => value),
    ]),
  ];
  return words.some((word) => word.includes(driver));
}

/** Whether a pod of the plugin's namespace, but not the plugin itself, has a mount whose propagation reaches the node. */
function servesMounts({ metadata, spec }: V1Pod, plugin: V1DaemonSet | undefined): boolean {
  if (plugin === undefined || metadata?.namespace !== plugin.metadata?.namespace) return false;
  if (metadata?.ownerReferences?.some(({ kind }) => kind === 'DaemonSet')) return false;
  return (spec?.containers ?? []).some(({ volumeMounts = [] }) =>
    volumeMounts.some(({ mountPropagation }) => mountPropagation === 'Bidirectional'),
  );
}

function fusePod({ metadata, spec }: V1Pod) {
  const labels = Object.entries(metadata?.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return {
    namespace: metadata?.namespace ?? '',
    selector: labels.join(',') || 'TODO={volume}',
    container: spec?.containers[0]?.name ?? '',
  };
}

/** Of a StorageClass that is there, and is not created for each volume. */
function claim(storageClassName: string) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: '{name}' },
    spec: { accessModes: ['ReadWriteMany'], storageClassName, resources: { requests: { storage: '1Gi' } } },
  };
}
