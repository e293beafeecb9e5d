import type { V1Container, V1DaemonSet, V1ObjectMeta, V1PodSpec, V1Volume } from '@kubernetes/client-node';
import { CannotDeploy } from './errors.ts';
import { managedBy } from './options.ts';

/** The label of a standby's DaemonSet and pods; its value is the dataset's name. */
const standbyLabel = 'rekindle.dev/standby-of';
const numberLabel = 'rekindle.dev/standby-number';

/** As many standbys as the node agent looks for. */
export const maximumStandbys = 3;

export interface StandbyOptions {
  readonly namespace: string;
  readonly dataset: string;
  /** From 0. */
  readonly number: number;
}

/** The name of a standby's DaemonSet, after the one that it is a copy of. */
export const standbyName = (original: string, number: number): string => `${original}-standby-${number}`;

/**
 * A standby: the FUSE DaemonSet of a dataset with another name, other labels and a mount path of its own in the dataset's directory,
 * `<mount root>/<runtime>/<namespace>/<dataset>/standby-<number>`. It has no port, no cache and no writable host directory of the
 * original, and no owner, so that Fluid leaves it alone. @throws CannotDeploy if there is no directory to mount, or no selector
 */
export function copyStandby(original: V1DaemonSet, options: StandbyOptions): V1DaemonSet {
  const { dataset, number } = options;
  const { metadata, spec } = original;
  const own = { [standbyLabel]: dataset, [numberLabel]: String(number), [managedBy.label]: managedBy.value };
  const name = standbyName(metadata?.name ?? '', number);
  const template = spec?.template;
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: {
      name,
      namespace: options.namespace,
      labels: { ...labelsOfCopy(original, metadata, number), ...own },
    },
    spec: {
      // A DaemonSet's selector is immutable, so it is made of what never changes.
      selector: { matchLabels: { [standbyLabel]: dataset, [numberLabel]: String(number) } },
      ...(spec?.updateStrategy && { updateStrategy: spec.updateStrategy }),
      template: {
        metadata: {
          labels: { ...labelsOfCopy(original, template?.metadata, number), ...own },
          ...(template?.metadata?.annotations && { annotations: template.metadata.annotations }),
        },
        spec: podOfCopy(template?.spec ?? { containers: [] }, original, options),
      },
    },
  };
}

/** Labels of Helm and Fluid, by which they would take the copy for theirs. */
const ownersLabels = /^(fluid\.io\/|app\.kubernetes\.io\/managed-by$|chart$|heritage$)/;

/** The original's labels, one of which differs, so that the original's selector does not match the copy's pods. */
function labelsOfCopy(original: V1DaemonSet, metadata: V1ObjectMeta | undefined, number: number) {
  const selected = Object.keys(original.spec?.selector.matchLabels ?? {}).filter((key) => !ownersLabels.test(key));
  const key = selected.includes('role') ? 'role' : selected[0];
  if (key === undefined)
    throw new CannotDeploy(
      `the selector of daemonset/${original.metadata?.name} has no label that can be changed`,
      'make the standby by hand, with labels of its own',
    );
  const labels = Object.entries(metadata?.labels ?? {}).filter(([each]) => !ownersLabels.test(each));
  return Object.fromEntries(labels.map(([each, value]) => [each, each === key ? standbyName(value, number) : value]));
}

function podOfCopy(spec: V1PodSpec, original: V1DaemonSet, options: StandbyOptions): V1PodSpec {
  const { hostNetwork, dnsPolicy, ...rest } = spec;
  const dns = hostNetwork && dnsPolicy === 'ClusterFirstWithHostNet' ? 'ClusterFirst' : dnsPolicy;
  const mounted = mountedDirectory(spec, original, options);
  return {
    ...rest,
    // In a network of its own it shares no port.
    ...(dns !== undefined && { dnsPolicy: dns }),
    containers: spec.containers.map(withoutPorts),
    ...(spec.initContainers && { initContainers: spec.initContainers.map(withoutPorts) }),
    volumes: (spec.volumes ?? []).map((volume) =>
      volume === mounted || isWritten(volume, spec) ? withOwnDirectory(volume, options) : volume,
    ),
  };
}

const withoutPorts = ({ ports: _, ...container }: V1Container): V1Container => container;

/** The volume with the directory in which the daemon mounts. */
function mountedDirectory({ volumes = [] }: V1PodSpec, { metadata }: V1DaemonSet, options: StandbyOptions): V1Volume {
  const end = `/${options.namespace}/${options.dataset}`;
  const found = volumes.find(({ hostPath }) => hostPath?.path.replace(/\/+$/, '').endsWith(end));
  if (found !== undefined) return found;
  const paths = volumes.flatMap(({ hostPath }) => hostPath?.path ?? []);
  throw new CannotDeploy(
    `daemonset/${metadata?.name} has no hostPath that ends in ${end}, where its daemon mounts; found: ${paths.join(', ') || 'none'}`,
    'only FUSE daemons with Fluid’s layout of directories can have a standby',
  );
}

/** No directory in which files could be written. */
const sharedTypes = ['CharDevice', 'BlockDevice', 'Socket', 'File', 'FileOrCreate'];
const isOfSystem = (path: string): boolean =>
  /^\/(dev|etc|proc|sys|usr|lib|lib64|run|var\/run)(\/|$)/.test(path) && !/^\/dev\/shm(\/|$)/.test(path);

/** Whether a container writes into this directory of the host: a cache, or state, which two daemons must not share. */
function isWritten({ name, hostPath }: V1Volume, { containers, initContainers = [] }: V1PodSpec): boolean {
  if (hostPath === undefined || sharedTypes.includes(hostPath.type ?? '') || isOfSystem(hostPath.path)) return false;
  const mounts = [...containers, ...initContainers].flatMap(({ volumeMounts = [] }) => volumeMounts);
  return mounts.some((mount) => mount.name === name && mount.readOnly !== true);
}

function withOwnDirectory(volume: V1Volume, { namespace, dataset, number }: StandbyOptions): V1Volume {
  const path = (volume.hostPath?.path ?? '').replace(/\/+$/, '');
  // Others may use a directory that is not the dataset's own.
  const parts = path.endsWith(`/${namespace}/${dataset}`) ? [path] : [path, namespace, dataset];
  return { ...volume, hostPath: { path: [...parts, `standby-${number}`].join('/'), type: 'DirectoryOrCreate' } };
}
