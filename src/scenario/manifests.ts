import type { KubernetesObject } from '@kubernetes/client-node';
import type { RunningCluster } from '../../clusters/cluster.ts';

/** The two files of the document's transcript, with their sizes. */
export const documentedFiles: Readonly<Record<string, Uint8Array>> = {
  myfile: Buffer.from('hello, FUSE world\n'),
  'myfile.txt': Buffer.from(`${'the same bytes, before and after '.repeat(4)}the daemon came back\n`),
};

const secretName = 'mysecret';
const keys = { id: 'fs.oss.accessKeyId', secret: 'fs.oss.accessKeySecret' } as const;

/** The document's secret.yaml, with the object store's credentials filled in. */
export function secret({ accessKeyId, accessKeySecret }: RunningCluster['store']): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secretName },
    stringData: { [keys.id]: accessKeyId, [keys.secret]: accessKeySecret },
  };
}

export interface DatasetOptions {
  readonly name: string;
  readonly store: RunningCluster['store'];
  /** Directory in the bucket. */
  readonly directory: string;
  readonly accessModes?: readonly string[];
  /** Misbehaviour of the fake daemon (`Behaviour` in fakes/fuse); a real daemon ignores it. */
  readonly behaviour?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** When a daemon ends that no pod of its node needs. Fluid's default: with the runtime. */
  readonly cleanPolicy?: 'OnDemand';
}

export const behaviourAnnotation = (behaviour: object): Readonly<Record<string, string>> => ({
  'rekindle.dev/fuse-behaviour': JSON.stringify(behaviour),
});

/** Number of standbys of a Dataset. */
export const standbyAnnotation = 'rekindle.dev/standby';
/** `true`: the daemons of a Dataset continue on the connection of a dead one. */
export const takeoverAnnotation = 'rekindle.dev/takeover';

/** The document's dataset.yaml; only the object store differs. */
export function dataset(options: DatasetOptions): readonly Manifest[] {
  const { name, store, directory, accessModes, behaviour, cleanPolicy } = options;
  const annotations = {
    ...options.annotations,
    ...(behaviour && behaviourAnnotation(behaviour)),
  };
  const fromSecret = (key: string) => ({ name: key, valueFrom: { secretKeyRef: { name: secretName, key } } });
  return [
    {
      apiVersion: 'data.fluid.io/v1alpha1',
      kind: 'Dataset',
      metadata: { name, ...(Object.keys(annotations).length > 0 && { annotations }) },
      spec: {
        ...(accessModes && { accessModes }),
        mounts: [
          {
            mountPoint: `oss://${store.bucket}/${directory}`,
            options: { 'fs.oss.endpoint': store.endpoint },
            name: 'mybucket',
            path: '/',
            encryptOptions: [fromSecret(keys.id), fromSecret(keys.secret)],
          },
        ],
      },
    },
    {
      apiVersion: 'data.fluid.io/v1alpha1',
      kind: 'JindoRuntime',
      metadata: { name },
      spec: {
        replicas: 2,
        ...(cleanPolicy && { fuse: { cleanPolicy } }),
        tieredstore: {
          levels: [
            { mediumtype: 'MEM', path: '/dev/shm', volumeType: 'emptyDir', quota: '2Gi', high: '0.99', low: '0.95' },
          ],
        },
      },
    },
  ];
}

export const applicationLabel = 'fuse.serverful.fluid.io/inject';

export interface ApplicationOptions {
  readonly name: string;
  readonly dataset: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Another volume, mounted inside the dataset. */
  readonly below?: VolumeBelow;
  /** `persistentVolumeClaim.readOnly`: CSI publishes it read-only, whatever its access modes are. */
  readonly claimReadOnly?: boolean;
  /** `volumeMount.readOnly`: the container alone has it read-only. */
  readonly mountReadOnly?: boolean;
  /** Instead of `/data`. */
  readonly mountPath?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Runs as this user and group, and only sleeps, because the document's server needs root. */
  readonly user?: number;
  /**
   * `hostUsers: false`: a user namespace, with idmapped volumes. They must be requested read-only, because a user namespace may not
   * clear the flag of a read-only mount, and runc then refuses the container.
   */
  readonly ownUsers?: true;
  /** On another node than every other pod with this property. */
  readonly apart?: true;
  /** The volume as the pod has it. By default, the claim of the dataset. */
  readonly source?: Readonly<Record<string, unknown>>;
  /** `mountPropagation` of the volume's mount. */
  readonly propagation?: 'None' | 'HostToContainer';
  /** Mounts only this directory of the volume. */
  readonly subPath?: string;
}

const apart = { 'rekindle.dev/apart': 'true' };

export interface VolumeBelow {
  readonly mountPath: string;
  /** `Memory`: a tmpfs that the node has mounted. `Node`: a directory of the node's disk. Otherwise another dataset's claim. */
  readonly medium: 'Memory' | 'Node' | { readonly claim: string };
  /** Mounts only this directory of the volume. */
  readonly subPath?: string;
}

/** The document's app.yaml; only the image differs. */
export function application(options: ApplicationOptions): Manifest {
  const { name, dataset: claimName, labels, annotations, below, claimReadOnly, mountReadOnly } = options;
  const { mountPath = '/data', user, propagation, subPath } = options;
  const claim = { persistentVolumeClaim: { claimName, ...(claimReadOnly && { readOnly: true }) } };
  const antiAffinity = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: apart } };
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [antiAffinity] } };
  const asUser = {
    command: ['sleep', 'infinity'],
    securityContext: { runAsUser: user, runAsGroup: user, runAsNonRoot: true },
  };
  const inner = below
    ? [{ mountPath: below.mountPath, name: 'inner-vol', ...(below.subPath && { subPath: below.subPath }) }]
    : [];
  const source =
    typeof below?.medium === 'object'
      ? { persistentVolumeClaim: { claimName: below.medium.claim } }
      : { emptyDir: below?.medium === 'Memory' ? { medium: 'Memory' } : {} };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: { ...labels, ...(options.apart && apart) },
      ...(annotations && { annotations: { ...annotations } }),
    },
    spec: {
      ...(options.apart && { affinity }),
      ...(options.ownUsers && { hostUsers: false }),
      containers: [
        {
          name: 'demo',
          image: 'nginx:stable',
          ...(user !== undefined && asUser),
          volumeMounts: [
            {
              mountPath,
              name: 'data-vol',
              ...((mountReadOnly || options.ownUsers) && { readOnly: true }),
              ...(propagation && { mountPropagation: propagation }),
              ...(subPath && { subPath }),
            },
            ...inner,
          ],
        },
      ],
      volumes: [{ name: 'data-vol', ...(options.source ?? claim) }, ...inner.map(({ name }) => ({ name, ...source }))],
    },
  };
}

/** Kinds of objects that belong to no namespace. */
export const clusterScoped: ReadonlySet<string> = new Set(['PersistentVolume', 'StorageClass', 'CSIDriver']);

/** A manifest as a user writes it. */
export type Manifest = KubernetesObject & { readonly [key: string]: unknown };

/** Annotation that turns recovery on for a serverless pod. */
export const serverlessRecovery = { 'alibabacloud.com/fuse-recover-policy': 'auto' };

/** The app.yaml of the document's serverless flow; only the image differs. `recovers`: with the annotation for recovery. */
export function serverlessApplication({
  recovers,
  ...options
}: Pick<ApplicationOptions, 'name' | 'dataset'> & { readonly recovers: boolean }): Manifest {
  return application({
    ...options,
    labels: { 'alibabacloud.com/fluid-sidecar-target': 'eci' },
    annotations: { 'alibabacloud.com/burst-resource': 'eci_only', ...(recovers && serverlessRecovery) },
  });
}
