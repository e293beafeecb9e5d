import type { AccessMode, Volume } from '../../engine/model.ts';
import type { UncheckedObject } from '../../kubernetes/json.ts';
import type { ClusterState, DaemonTemplate } from '../facts.ts';
import type { NewPod } from '../pod.ts';

/** The pod template of a FUSE DaemonSet from Fluid's charts for Jindo. */
export const template: DaemonTemplate = {
  container: {
    name: 'jindofs-fuse',
    image: 'rekindle/fuse:dev',
    args: ['--mountpoint=/jfs/jindofs-fuse', '--bucket=demo-bucket'],
    ports: [{ name: 'metrics', hostPort: 9090, containerPort: 9090 }],
    securityContext: { privileged: true },
    volumeMounts: [
      { name: 'jindofs-fuse-mount', mountPath: '/jfs', mountPropagation: 'Bidirectional' },
      { name: 'jindofs-fuse-device', mountPath: '/dev/fuse' },
      { name: 'credentials', mountPath: '/etc/fluid/secrets', readOnly: true },
    ],
  },
  volumes: [
    { name: 'jindofs-fuse-mount', hostPath: { path: '/runtime-mnt/jindo/default/demo', type: 'DirectoryOrCreate' } },
    { name: 'jindofs-fuse-device', hostPath: { path: '/dev/fuse', type: 'CharDevice' } },
    { name: 'credentials', secret: { secretName: 'mysecret' } },
    { name: 'unused', emptyDir: {} },
  ],
  imagePullSecrets: [],
};

export const volume = (name: string, accessModes: readonly AccessMode[] = ['ReadOnlyMany']): Volume => ({
  name: `default-${name}`,
  handle: `default-${name}`,
  dataset: { namespace: 'default', name },
  sources: [`/runtime-mnt/jindo/default/${name}/jindofs-fuse`],
  subdirectory: '',
  accessModes,
});

/**
 * Datasets `demo` (read-only) and `scratch` (read-write). The claim `disk` is bound to a volume of another driver, `late` is
 * not bound, and `thief` names the volume that is bound to `demo`.
 */
export function facts(change: Partial<ClusterState> = {}): ClusterState {
  const bound = (name: string) =>
    [`default/${name}`, { namespace: 'default', name, volume: `default-${name}` }] as const;
  const scratch: DaemonTemplate = {
    ...template,
    volumes: template.volumes.map((original) =>
      original.name === 'jindofs-fuse-mount'
        ? { ...original, hostPath: { path: '/runtime-mnt/jindo/default/scratch' } }
        : original,
    ),
  };
  return {
    claims: new Map([
      bound('demo'),
      bound('scratch'),
      bound('disk'),
      ['default/thief', { namespace: 'default', name: 'thief', volume: 'default-demo' }],
    ]),
    volumes: new Map([
      ['default-demo', volume('demo')],
      ['default-scratch', volume('scratch', ['ReadWriteMany'])],
    ]),
    daemons: new Map([
      ['default/demo', template],
      ['default/scratch', scratch],
    ]),
    hasNativeSidecars: true,
    podSecurity: undefined,
    existingClaims: new Set(['default/demo', 'default/scratch', 'default/disk', 'default/late', 'default/thief']),
    ...change,
  };
}

export const inject = { 'fuse.serverful.fluid.io/inject': 'true' };
export const eci = { 'alibabacloud.com/fluid-sidecar-target': 'eci' };
export const auto = { 'alibabacloud.com/fuse-recover-policy': 'auto' };

export interface PodOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The volumeMounts of container `demo`; by default all of `data` at /data. */
  readonly mounts?: readonly unknown[];
  /** Claims, keyed by the name of the pod's volume. */
  readonly claims?: Readonly<Record<string, string>>;
  /** Replaces or extends the default spec. */
  readonly spec?: UncheckedObject;
}

export function pod({
  labels = inject,
  annotations = {},
  mounts,
  claims = { data: 'demo' },
  spec,
}: PodOptions = {}): NewPod {
  return {
    namespace: 'default',
    pod: {
      metadata: { name: 'app', labels, annotations },
      spec: {
        containers: [{ name: 'demo', image: 'nginx', volumeMounts: mounts ?? [{ name: 'data', mountPath: '/data' }] }],
        volumes: Object.entries(claims).map(([name, claimName]) => ({ name, persistentVolumeClaim: { claimName } })),
        ...spec,
      },
    },
  };
}
