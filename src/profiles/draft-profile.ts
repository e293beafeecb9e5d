import type {
  V1CSIDriver,
  V1DaemonSet,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1StorageClass,
} from '@kubernetes/client-node';
import { stringify } from 'yaml';

/** What a cluster answers about its CSI drivers. */
export interface ClusterDrivers {
  readonly drivers: readonly V1CSIDriver[];
  readonly daemonSets: readonly V1DaemonSet[];
  readonly classes: readonly V1StorageClass[];
  readonly pods: readonly V1Pod[];
  readonly claims: readonly V1PersistentVolumeClaim[];
  readonly volumes: readonly V1PersistentVolume[];
}

/** A volume of a driver, and a running pod that uses it. */
export interface VolumeInUse {
  readonly pod: V1Pod;
  /** Name of the PersistentVolume, or of the pod's inline volume. */
  readonly volume: string;
}

/** What is read only once a driver is chosen. */
export interface DriverDetails {
  /** Keys of the Secret that NodePublishVolume gets. */
  readonly secretKeys?: readonly string[] | undefined;
  /** The process that serves the volume in use. */
  readonly server?: { readonly command: string; readonly podUid?: string } | undefined;
}

interface Named {
  readonly metadata?: { readonly name?: string };
}

const nameOf = ({ metadata }: Named) => metadata?.name ?? '';

/** Names of the CSI drivers that can be chosen. */
export const driverNames = ({ drivers }: ClusterDrivers): readonly string[] => drivers.map(nameOf).toSorted();

/** The first running pod that uses a volume of the driver. */
export function findVolumeInUse(
  { pods, claims, volumes }: Pick<ClusterDrivers, 'pods' | 'claims' | 'volumes'>,
  driver: string,
): VolumeInUse | undefined {
  const ofClaim = (namespace: string | undefined, claimName: string | undefined) => {
    const claim = claims.find((each) => each.metadata?.namespace === namespace && nameOf(each) === claimName);
    return volumes.find((volume) => nameOf(volume) === claim?.spec?.volumeName && volume.spec?.csi?.driver === driver);
  };
  for (const pod of pods.filter(({ status }) => status?.phase === 'Running'))
    for (const { name, csi, persistentVolumeClaim: claim } of pod.spec?.volumes ?? []) {
      if (csi?.driver === driver) return { pod, volume: name };
      const bound = claim && ofClaim(pod.metadata?.namespace, claim.claimName);
      if (bound) return { pod, volume: nameOf(bound) };
    }
  return undefined;
}

/** Sidecars of every node plugin. */
const sidecar = /registrar|liveness|healthmonitor/;
const provisionedBy = 'pv.kubernetes.io/provisioned-by';

/** A first profile of a driver, as YAML: what the cluster shows is filled in, and what it cannot show is marked with TODO. */
export function draftProfile(cluster: ClusterDrivers, driver: string, details: DriverDetails = {}): string {
  const { daemonSets, classes, volumes, pods } = cluster;
  const plugin = daemonSets.find((daemonSet) => isNodePlugin(daemonSet, driver));
  const inUse = findVolumeInUse(cluster, driver);
  const own = volumes.filter(({ spec }) => spec?.csi?.driver === driver);
  const sample = own.find((volume) => nameOf(volume) === inUse?.volume) ?? own[0];
  const ofSample = classes.find((each) => nameOf(each) === sample?.spec?.storageClassName);
  const isByHand = sample !== undefined && sample.metadata?.annotations?.[provisionedBy] === undefined;
  const storage = isByHand ? undefined : (ofSample ?? classes.find(({ provisioner }) => provisioner === driver));
  const server = details.server && placeOf(details.server, { pods, plugin, inUse });
  const guessed = pods.find((pod) => servesMounts(pod, plugin));
  const fuse = server?.pod ?? (server === undefined ? guessed : undefined);
  const containers = (plugin?.spec?.template.spec?.containers ?? []).map(({ name }) => name);
  const container = containers.find((name) => !sidecar.test(name)) ?? containers[0];
  const accessMode = sample?.spec?.accessModes?.[0];
  const volume = draftVolume({ driver, storage, sample, inUse, secretKeys: details.secretKeys });
  const profile = {
    version: 2,
    name: driver.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, ''),
    promises: { class: 'none' },
    volume: { driver, ...(accessMode && !('objects' in volume) && { accessMode }), ...volume },
    ...('objects' in volume && storage && { fill: 'pod' }),
    ...(inUse && propagates(inUse) && { pod: { propagation: 'HostToContainer' } }),
    process: fuse ? { pod: fusePod(fuse, inUse) } : (server?.process ?? { plugin: '^TODO .*{volume}' }),
    restartedBy: fuse ? 'kubelet' : 'nobody',
    ...(plugin && {
      find: {
        daemonSet: { namespace: plugin.metadata?.namespace ?? '', name: nameOf(plugin), container: container ?? '' },
      },
    }),
  };
  const found = { driver, plugin, storage, fuse, isShown: isByHand, server: server?.process };
  return `${[...remarks(found)].map((line) => `# ${line}\n`).join('')}${stringify(profile, { lineWidth: 0 })}`;
}

interface Found {
  readonly driver: string;
  readonly plugin: V1DaemonSet | undefined;
  readonly storage: V1StorageClass | undefined;
  readonly fuse: V1Pod | undefined;
  /** A volume that was made by hand shows its attributes. */
  readonly isShown: boolean;
  readonly server: ProcessPlace | undefined;
}

function* remarks({ driver, plugin, storage, fuse, isShown, server }: Found): Iterable<string> {
  yield `A draft for ${driver}. TODO: promises.class and restartedBy, which nothing but its documentation shows.`;
  if (!plugin)
    yield 'TODO: find.daemonSet. No DaemonSet has the name of the driver in its arguments, variables or host paths.';
  if (storage) yield `The StorageClass ${nameOf(storage)} is there.`;
  else if (isShown) yield 'A volume is there. TODO: see whether its attributes have the right placeholders.';
  else yield 'TODO: the attributes and secrets of the volume. No StorageClass has the driver as its provisioner.';
  if (fuse) {
    const isKnown = Object.values(fuse.metadata?.labels ?? {}).length > 0;
    yield `The pod ${nameOf(fuse)} mounts on its node. ${isKnown ? 'TODO: see whether its labels lead from a volume to its pod, with {volume}.' : 'TODO: a selector that leads from a volume to its pod.'}`;
  } else if (server) yield 'A process serves a volume that is in use. TODO: see whether its pattern finds no other.';
  else
    yield 'TODO: the command line of the FUSE process, which --look-at-node shows if a pod uses a volume. No pod but the node plugin mounts on its node.';
}

interface SampleVolume {
  readonly driver: string;
  readonly storage: V1StorageClass | undefined;
  readonly sample: V1PersistentVolume | undefined;
  readonly inUse: VolumeInUse | undefined;
  readonly secretKeys: readonly string[] | undefined;
}

function draftVolume({ driver, storage, sample, inUse, secretKeys }: SampleVolume) {
  const inline = inUse?.pod.spec?.volumes?.find(({ name, csi }) => name === inUse.volume && csi !== undefined)?.csi;
  const secret = secretKeys && { secret: withPlaceholders(Object.fromEntries(secretKeys.map((key) => [key, 'TODO']))) };
  if (sample === undefined && storage === undefined && inline) {
    const csi = { driver, volumeAttributes: withPlaceholders(inline.volumeAttributes ?? {}) };
    return { objects: [], source: { csi } };
  }
  if (storage) {
    const parameters = Object.fromEntries(
      Object.entries(storage.parameters ?? {}).filter(([key]) => !key.startsWith('csi.storage.k8s.io/')),
    );
    const filled = withPlaceholders(parameters);
    const isOfStore = Object.values(filled).some((text) => /^\{(bucket|endpoint)\}$/.test(text));
    return isOfStore ? { parameters: filled, ...secret } : { objects: [claim(nameOf(storage))] };
  }
  const attributes = sample?.spec?.csi?.volumeAttributes ?? { bucket: '', directory: '' };
  return { attributes: withPlaceholders(attributes), ...secret };
}

/** Placeholders by the names that drivers give such values. */
const placeholders: readonly (readonly [key: RegExp, placeholder: string])[] = [
  [/secret/i, '{secretAccessKey}'],
  [/access|key|id$/i, '{accessKeyId}'],
  [/bucket/i, '{bucket}'],
  [/endpoint|url|server/i, '{endpoint}'],
  [/dir|prefix|path/i, '{directory}'],
];

function withPlaceholders(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const fill = ([key, text]: readonly [string, string]) =>
    [key, placeholders.find(([pattern]) => pattern.test(key))?.[1] ?? text] as const;
  return Object.fromEntries(Object.entries(texts).map(fill));
}

type ProcessPlace = { readonly plugin: string } | { readonly host: string };

/** Whether the process that serves a volume is that of a pod, or is found by its command line. */
function placeOf(
  { command, podUid }: NonNullable<DriverDetails['server']>,
  {
    pods,
    plugin,
    inUse,
  }: Pick<ClusterDrivers, 'pods'> & Pick<Found, 'plugin'> & { readonly inUse: VolumeInUse | undefined },
): { readonly pod?: V1Pod; readonly process?: ProcessPlace } {
  const pod = podUid === undefined ? undefined : pods.find(({ metadata }) => metadata?.uid === podUid);
  const isPlugin = pod?.metadata?.ownerReferences?.some(
    ({ kind, name }) => kind === 'DaemonSet' && name === nameOf(plugin ?? {}),
  );
  if (pod && !isPlugin) return { pod };
  const known = Object.entries(namesOf(inUse)).find(([, name]) => name !== '' && command.includes(name));
  const [program = ''] = command.split(' ');
  const start = `^${program.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')} `;
  const pattern = `${start}.*${known ? `{${known[0]}}` : 'TODO'}`;
  return { process: pod ? { plugin: pattern } : { host: pattern } };
}

/** By placeholder. */
const namesOf = (inUse: VolumeInUse | undefined) => ({
  pod: inUse?.pod.metadata?.uid ?? '',
  volume: inUse?.volume ?? '',
});

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

/** The labels that lead from the volume in use to its pod, or else all. */
function fusePod({ metadata, spec }: V1Pod, inUse: VolumeInUse | undefined) {
  const labels = Object.entries(metadata?.labels ?? {});
  const names = Object.entries(namesOf(inUse));
  const leading = labels.flatMap(([key, value]) => {
    const known = names.find(([, name]) => name !== '' && value === name);
    return known ? [`${key}={${known[0]}}`] : [];
  });
  const selector = leading.length > 0 ? leading : labels.map(([key, value]) => `${key}=${value}`);
  return {
    namespace: metadata?.namespace ?? '',
    selector: selector.join(',') || 'TODO={volume}',
    container: spec?.containers[0]?.name ?? '',
  };
}

const propagates = ({ pod: { spec } }: VolumeInUse): boolean =>
  (spec?.containers ?? []).some(({ volumeMounts = [] }) =>
    volumeMounts.some(({ mountPropagation }) => mountPropagation === 'HostToContainer'),
  );

/** Of a StorageClass that is there, and is not created for each volume. */
function claim(storageClassName: string) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: '{name}' },
    spec: { accessModes: ['ReadWriteMany'], storageClassName, resources: { requests: { storage: '1Gi' } } },
  };
}
