import type { V1DaemonSet, V1OwnerReference, V1Pod, V1PodSpec, V1Volume } from '@kubernetes/client-node';
import type { FluidObject } from './custom-objects.ts';
import type { DatasetKey } from './naming.ts';
import {
  behaviourAnnotation,
  daemonSetName,
  fuseRole,
  hostDirectory,
  podLabels,
  volumeName,
  workerRole,
} from './naming.ts';
import type { DatasetFacts } from './validate-dataset.ts';

export interface FluidImages {
  readonly fuse: string;
  readonly worker: string;
  /** Where containers are real: what an image runs has to be said there. */
  readonly onCluster?: OnCluster;
}

/** What pods of a real cluster have and those of a fake kubelet do without. */
export interface OnCluster {
  readonly fuseCommand: readonly string[];
  readonly workerCommand: readonly string[];
  /** Directory of the node: a daemon waits as long as there is a file `<namespace>.<pod>` in it. Made by the kubelet. */
  readonly holds: string;
}

export const defaultImages: FluidImages = { fuse: 'rekindle/fuse:dev', worker: 'rekindle/worker:dev' };

/** Where the FUSE container finds `accessKeyId` and `accessKeySecret`. */
const credentialsDirectory = '/etc/fluid/secrets';

const ownedBy = ({ apiVersion, kind, metadata }: FluidObject): V1OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
});

/** Read by the owner only: the values are in this volume and nowhere else. */
const onlyOwner = 0o400;

function credentialsVolume({ credentials: { accessKeyId, accessKeySecret } }: DatasetFacts): V1Volume {
  const name = 'credentials';
  const id = { key: accessKeyId.key, path: 'accessKeyId' };
  const secret = { key: accessKeySecret.key, path: 'accessKeySecret' };
  if (accessKeyId.secret === accessKeySecret.secret) {
    return { name, secret: { secretName: accessKeyId.secret, items: [id, secret], defaultMode: onlyOwner } };
  }
  const sources = [
    { secret: { name: accessKeyId.secret, items: [id] } },
    { secret: { name: accessKeySecret.secret, items: [secret] } },
  ];
  return { name, projected: { sources, defaultMode: onlyOwner } };
}

interface FuseOptions {
  readonly key: DatasetKey;
  readonly facts: DatasetFacts;
  readonly runtime: FluidObject;
  readonly images: FluidImages;
}

/**
 * The DaemonSet of a dataset's FUSE daemons. Nothing runs it here: its pods are made one by one, on the nodes that need one.
 * It is there because a sidecar's container is made of its template.
 */
export function makeFuseDaemonSet({ key, facts, runtime, images }: FuseOptions): V1DaemonSet {
  const labels = podLabels(key, runtime.metadata.uid ?? '', fuseRole);
  const selector = { app: 'jindo', role: fuseRole, release: key.name };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: daemonSetName(key), namespace: key.namespace, labels, ownerReferences: [ownedBy(runtime)] },
    spec: {
      selector: { matchLabels: selector },
      updateStrategy: { type: 'OnDelete' },
      template: {
        metadata: { labels },
        spec: { ...fuseSpec({ key, facts, images }), nodeSelector: { [`fluid.io/f-${volumeName(key)}`]: 'true' } },
      },
    },
  };
}

/** The pod that runs the FUSE daemon of a dataset on one node (Fluid `charts/jindocache`, its fuse DaemonSet). */
export function makeFusePod({
  nodeName,
  ...options
}: FuseOptions & {
  readonly nodeName: string;
}): V1Pod {
  const { key, facts, runtime } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${key.name}-jindofs-fuse-`,
      namespace: key.namespace,
      labels: podLabels(key, runtime.metadata.uid ?? '', fuseRole),
      ownerReferences: [ownedBy(runtime)],
      ...(facts.behaviour === undefined ? {} : { annotations: { [behaviourAnnotation]: facts.behaviour } }),
    },
    spec: { nodeName, ...fuseSpec(options) },
  };
}

function fuseSpec({ key, facts, images: { fuse, onCluster } }: Omit<FuseOptions, 'runtime'>): V1PodSpec {
  const held = onCluster && waitsForHold(onCluster);
  return {
    restartPolicy: 'Always',
    tolerations: [{ operator: 'Exists' }],
    ...(onCluster && { automountServiceAccountToken: false, enableServiceLinks: false }),
    containers: [
      {
        name: 'jindofs-fuse',
        image: fuse,
        ...(onCluster && { command: [...onCluster.fuseCommand] }),
        ...(held && { env: held.env }),
        args: [
          '--mountpoint=/jfs/jindofs-fuse',
          `--endpoint=${facts.endpoint}`,
          `--bucket=${facts.bucket}`,
          `--prefix=${facts.prefix}`,
          `--credentials=${credentialsDirectory}`,
          ...(facts.behaviour === undefined ? [] : [`--behaviour=${facts.behaviour}`]),
          ...(held ? [held.flag] : []),
          // As Jindo mounts: a runtime binds a volume into its container anew, and the bind on the node says nothing there.
          ...(onCluster && facts.accessModes.includes('ReadOnlyMany') ? ['--read-only=true'] : []),
        ],
        securityContext: { privileged: true },
        volumeMounts: [
          { name: 'jindofs-fuse-mount', mountPath: '/jfs', mountPropagation: 'Bidirectional' },
          { name: 'jindofs-fuse-device', mountPath: '/dev/fuse' },
          { name: 'credentials', mountPath: credentialsDirectory, readOnly: true },
          ...(held ? [held.mount] : []),
        ],
      },
    ],
    volumes: [
      { name: 'jindofs-fuse-mount', hostPath: { path: hostDirectory(key), type: 'DirectoryOrCreate' } },
      { name: 'jindofs-fuse-device', hostPath: { path: '/dev/fuse', type: 'CharDevice' } },
      credentialsVolume(facts),
      ...(held ? [held.volume] : []),
    ],
  };
}

/** The pod's name is known only once it runs, in a sidecar too, so the kubelet writes it into the flag. */
function waitsForHold({ holds }: OnCluster) {
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

/** A worker: it caches nothing here and only stands for one, so that `replicas` shows. */
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
