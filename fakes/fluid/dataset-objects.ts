import type {
  V1DaemonSet,
  V1OwnerReference,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodSpec,
  V1Volume,
} from '@kubernetes/client-node';
import { keeperDirectory, socketName } from '../../recovery/keeper/protocol.ts';
import {
  behaviourAnnotation,
  type DatasetKey,
  daemonSetName,
  driver,
  type FluidObject,
  fluidPath,
  fuseRole,
  hostDirectory,
  keeperVolume,
  placementLabel,
  podLabels,
  standbyDaemonSetName,
  standbyDirectory,
  standbyLabel,
  standbyRole,
  volumeLabels,
  volumeName,
  workerRole,
} from './names.ts';
import type { DatasetSettings } from './validate-dataset.ts';

export interface FluidImages {
  readonly fuse: string;
  readonly worker: string;
  /** Set if containers are real. A fake kubelet knows by itself what an image runs. */
  readonly onCluster?: OnCluster;
}

/** What pods need on a real cluster in addition. */
export interface OnCluster {
  readonly fuseCommand: readonly string[];
  readonly workerCommand: readonly string[];
  /** A directory of the node, created by the kubelet: a daemon waits while it contains a file `<namespace>.<pod>`. */
  readonly holds: string;
}

export const defaultImages: FluidImages = { fuse: 'rekindle/fuse:dev', worker: 'rekindle/worker:dev' };

/** The directory of the FUSE container with the files `accessKeyId` and `accessKeySecret`. */
const credentialsDirectory = '/etc/fluid/secrets';
const storageClassName = 'fluid';

/** The PersistentVolume of a dataset, as Fluid creates it (`pkg/utils/dataset/volume/create.go`). */
export function makeVolume(key: DatasetKey, uid: string, settings: DatasetSettings): V1PersistentVolume {
  const name = volumeName(key);
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, labels: volumeLabels(key, uid), annotations: { CreatedBy: 'fluid' } },
    spec: {
      accessModes: [...settings.accessModes],
      capacity: { storage: settings.capacity },
      storageClassName,
      persistentVolumeReclaimPolicy: 'Retain',
      volumeMode: 'Filesystem',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: key.namespace, name: key.name },
      csi: {
        driver,
        volumeHandle: name,
        volumeAttributes: {
          fluid_path: fluidPath(key, settings.mountRoot),
          mount_type: 'jindo',
          runtime_namespace: key.namespace,
          runtime_name: key.name,
          mount_pod_node_selector_key: placementLabel(key, uid),
        },
      },
    },
  };
}

/**
 * The claim that pods name, which has the dataset's name. The volume names the claim, not the other way round, because a real volume
 * controller checks a claim that names its volume only every 15 seconds.
 */
export function makeClaim(key: DatasetKey, uid: string, settings: DatasetSettings): V1PersistentVolumeClaim {
  const { namespace, name } = key;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace, labels: volumeLabels(key, uid), annotations: { CreatedBy: 'fluid' } },
    spec: {
      accessModes: [...settings.accessModes],
      resources: { requests: { storage: settings.capacity } },
      storageClassName,
      volumeMode: 'Filesystem',
    },
  };
}

const ownedBy = ({ apiVersion, kind, metadata }: FluidObject): V1OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
});

/** Readable by its owner only; credentials appear nowhere else. */
const credentialsMode = 0o400;

function credentialsVolume({ credentials: { accessKeyId, accessKeySecret } }: DatasetSettings): V1Volume {
  const name = 'credentials';
  const id = { key: accessKeyId.key, path: 'accessKeyId' };
  const secret = { key: accessKeySecret.key, path: 'accessKeySecret' };
  if (accessKeyId.secret === accessKeySecret.secret) {
    return { name, secret: { secretName: accessKeyId.secret, items: [id, secret], defaultMode: credentialsMode } };
  }
  const sources = [
    { secret: { name: accessKeyId.secret, items: [id] } },
    { secret: { name: accessKeySecret.secret, items: [secret] } },
  ];
  return { name, projected: { sources, defaultMode: credentialsMode } };
}

interface FuseDaemonSetOptions {
  readonly key: DatasetKey;
  /** The dataset's. */
  readonly uid: string;
  readonly settings: DatasetSettings;
  readonly runtime: FluidObject;
  readonly images: FluidImages;
  /** The number of a standby from 0. Absent: the daemon at the dataset's own source path. */
  readonly standby?: number | undefined;
}

/** Name and labels of a daemon's DaemonSet and pods. */
function fuseIdentity({ key, runtime, standby }: Pick<FuseDaemonSetOptions, 'key' | 'runtime' | 'standby'>) {
  const role = standby === undefined ? fuseRole : standbyRole(standby);
  const ofStandby = standby === undefined ? {} : { [standbyLabel]: key.name };
  return {
    name: standby === undefined ? daemonSetName(key) : standbyDaemonSetName(key, standby),
    labels: { ...podLabels(key, runtime.metadata.uid ?? '', role), ...ofStandby },
    selector: { app: 'jindo', role, release: key.name },
  };
}

/**
 * The DaemonSet of a dataset's FUSE daemons (Fluid `charts/jindocache`). It has a pod on each node that the node plugin has labelled. The
 * webhook derives a sidecar's container from its template.
 */
export function makeFuseDaemonSet(options: FuseDaemonSetOptions): V1DaemonSet {
  const { key, uid, runtime, settings } = options;
  const { name, labels, selector } = fuseIdentity(options);
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: key.namespace, labels, ownerReferences: [ownedBy(runtime)] },
    spec: {
      selector: { matchLabels: selector },
      updateStrategy: { type: 'OnDelete' },
      template: {
        metadata: {
          labels,
          ...(settings.behaviour === undefined ? {} : { annotations: { [behaviourAnnotation]: settings.behaviour } }),
        },
        spec: { ...fuseSpec(options), nodeSelector: { [placementLabel(key, uid)]: 'true' } },
      },
    },
  };
}

function fuseSpec({ key, settings, standby, images: { fuse, onCluster } }: FuseDaemonSetOptions): V1PodSpec {
  const { mountRoot } = settings;
  const path = standby === undefined ? hostDirectory(key, mountRoot) : standbyDirectory(key, standby, mountRoot);
  const hold = onCluster && holdFile(onCluster);
  // A standby serves a connection of its own, which no other daemon continues on.
  const keeper = settings.takeover && standby === undefined ? keeperSocket(key) : undefined;
  return {
    restartPolicy: 'Always',
    tolerations: [{ operator: 'Exists' }],
    ...(onCluster && { automountServiceAccountToken: false, enableServiceLinks: false }),
    containers: [
      {
        name: 'jindofs-fuse',
        image: fuse,
        ...(onCluster && { command: [...onCluster.fuseCommand] }),
        ...(hold && { env: hold.env }),
        args: [
          '--mountpoint=/jfs/jindofs-fuse',
          `--endpoint=${settings.endpoint}`,
          `--bucket=${settings.bucket}`,
          `--prefix=${settings.prefix}`,
          `--credentials=${credentialsDirectory}`,
          ...(settings.behaviour === undefined ? [] : [`--behaviour=${settings.behaviour}`]),
          ...(hold ? [hold.flag] : []),
          ...(keeper ? [keeper.flag] : []),
          // As Jindo does: a container runtime makes a new bind mount, which does not inherit read-only from the one on the node.
          ...(onCluster && settings.accessModes.includes('ReadOnlyMany') ? ['--read-only=true'] : []),
        ],
        securityContext: { privileged: true },
        volumeMounts: [
          { name: 'jindofs-fuse-mount', mountPath: '/jfs', mountPropagation: 'Bidirectional' },
          { name: 'jindofs-fuse-device', mountPath: '/dev/fuse' },
          { name: 'credentials', mountPath: credentialsDirectory, readOnly: true },
          ...(hold ? [hold.mount] : []),
          ...(keeper ? [keeper.mount] : []),
        ],
      },
    ],
    volumes: [
      { name: 'jindofs-fuse-mount', hostPath: { path, type: 'DirectoryOrCreate' } },
      { name: 'jindofs-fuse-device', hostPath: { path: '/dev/fuse', type: 'CharDevice' } },
      credentialsVolume(settings),
      ...(hold ? [hold.volume] : []),
      ...(keeper ? [keeper.volume] : []),
    ],
  };
}

/** The flag for a hold file. The kubelet expands it, since the pod's name is generated, in the case of a sidecar too. */
function holdFile({ holds }: OnCluster) {
  const name = 'jindofs-fuse-holds';
  const mountPath = '/var/lib/rekindle/holds';
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return {
    env: [field('POD_NAMESPACE', 'metadata.namespace'), field('POD_NAME', 'metadata.name')],
    flag: `--hold-file=${mountPath}/$(POD_NAMESPACE).$(POD_NAME)`,
    mount: { name, mountPath, readOnly: true },
    volume: { name, hostPath: { path: holds, type: 'DirectoryOrCreate' } },
  };
}

/** The flag for the keeper's socket, and the directory that contains it. */
function keeperSocket(key: DatasetKey) {
  const name = 'jindofs-fuse-keeper';
  return {
    flag: `--keeper=${keeperDirectory}/${socketName}`,
    mount: { name, mountPath: keeperDirectory },
    volume: { name, hostPath: { path: keeperVolume(key), type: 'DirectoryOrCreate' } },
  };
}

/** A worker that does nothing; it makes `replicas` visible. */
export function makeWorkerPod({
  key,
  runtime,
  index,
  images,
}: {
  readonly key: DatasetKey;
  readonly runtime: FluidObject;
  readonly index: number;
  readonly images: FluidImages;
}): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${key.name}-jindofs-worker-${index}`,
      namespace: key.namespace,
      labels: podLabels(key, runtime.metadata.uid ?? '', workerRole),
      ownerReferences: [ownedBy(runtime)],
    },
    spec: {
      restartPolicy: 'Always',
      ...(images.onCluster && {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: 1,
      }),
      containers: [
        {
          name: 'jindofs-worker',
          image: images.worker,
          ...(images.onCluster && { command: [...images.onCluster.workerCommand] }),
        },
      ],
    },
  };
}
