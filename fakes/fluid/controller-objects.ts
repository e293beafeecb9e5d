import type { KubernetesObject, V1MutatingWebhookConfiguration, V1PolicyRule } from '@kubernetes/client-node';
import type { Certificate } from '../../recovery/webhook/certificate.ts';
import { onePodDeployment } from '../one-pod-deployment.ts';
import type { FluidImages } from './dataset-objects.ts';
import { group } from './names.ts';
import { virtualNode } from './virtual-node.ts';

/** Programs of the harness image. */
export const inHarnessImage = {
  fuse: '/rekindle/fuse/daemon.cjs',
  controllers: '/rekindle/fluid/controllers.mjs',
  bucket: '/rekindle/store/bucket.mjs',
} as const;

/** What FUSE pods run; the flags of the daemon are appended to the command. */
export interface FuseProgram {
  readonly image: string;
  readonly command: readonly string[];
}

const fakeFuse = (image: string): FuseProgram => ({ image, command: ['node', inHarnessImage.fuse] });

/** What a dataset's pods run if containers are real: the harness image, and `fuse` in place of the fake file system if given. */
export function harnessImages({
  image,
  holds,
  fuse = fakeFuse(image),
}: {
  readonly image: string;
  /** As in `OnCluster`. */
  readonly holds: string;
  readonly fuse?: FuseProgram;
}): FluidImages {
  return {
    fuse: fuse.image,
    worker: image,
    onCluster: { fuseCommand: fuse.command, workerCommand: ['sleep', 'infinity'], holds },
  };
}

export interface ControllerObjects {
  readonly namespace: string;
  /** The name of cluster-scoped objects, unique in the cluster. */
  readonly clusterName: string;
  readonly image: string;
  /** As in `OnCluster`. */
  readonly holds: string;
  readonly labels: Readonly<Record<string, string>>;
  /** For `<controllersName>.<namespace>.svc`. */
  readonly certificate: Certificate;
  /** Replaces the fake file system. */
  readonly fuse?: FuseProgram | undefined;
  /** The prefix of scenarios' namespaces. Pods of other namespaces are never sent to a virtual node. */
  readonly namespacePrefix: string;
}

export const controllersName = 'fluid-controllers';
const name = controllersName;
const port = 8081;
const admissionPort = 8443;
const certificateDirectory = '/etc/rekindle/tls';

/** Exactly what the controllers use. */
const rules: V1PolicyRule[] = [
  { apiGroups: [group], resources: ['datasets', 'jindoruntimes'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [group], resources: ['datasets/status', 'jindoruntimes/status'], verbs: ['update'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] },
  {
    apiGroups: [''],
    resources: ['pods', 'persistentvolumes', 'persistentvolumeclaims'],
    verbs: ['list', 'watch', 'create', 'delete'],
  },
  { apiGroups: ['apps'], resources: ['daemonsets'], verbs: ['list', 'watch', 'create', 'update', 'delete'] },
  { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch', 'patch'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
];

/** Fluid's controllers as a Deployment with its own service account, and a webhook that sends pods to virtual nodes, as ACK does. */
export function controllerObjects(options: ControllerObjects): readonly KubernetesObject[] {
  const { namespace, clusterName, image, holds, labels, certificate, fuse = fakeFuse(image) } = options;
  const own = { app: name };
  const meta = { name, namespace, labels: { ...labels, ...own } };
  const clusterMeta = { name: clusterName, labels: { ...labels, ...own } };
  const objects = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: clusterMeta, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: clusterMeta,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterName },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: meta,
      type: 'kubernetes.io/tls',
      stringData: { 'tls.key': certificate.key, 'tls.crt': certificate.certificate },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta,
      spec: { selector: own, ports: [{ name: 'admission', port: 443, targetPort: admissionPort }] },
    },
    virtualNodeWebhook(clusterMeta, options),
    onePodDeployment({
      metadata: meta,
      selector: own,
      spec: {
        serviceAccountName: name,
        tolerations: [{ operator: 'Exists' }],
        terminationGracePeriodSeconds: 2,
        containers: [
          {
            name,
            image,
            command: [
              'node',
              inHarnessImage.controllers,
              `--image=${image}`,
              `--holds=${holds}`,
              `--certificate=${certificateDirectory}`,
              `--fuse=${JSON.stringify(fuse)}`,
            ],
            volumeMounts: [{ name: 'certificate', mountPath: certificateDirectory, readOnly: true }],
            readinessProbe: { httpGet: { path: '/healthz', port }, periodSeconds: 1 },
          },
        ],
        volumes: [{ name: 'certificate', secret: { secretName: name } }],
      },
    }),
  ];
  return objects;
}

/** Called for serverless pods in scenarios' namespaces only. */
function virtualNodeWebhook(
  metadata: NonNullable<KubernetesObject['metadata']>,
  { namespace, certificate, namespacePrefix }: ControllerObjects,
): V1MutatingWebhookConfiguration {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata,
    webhooks: [
      {
        name: 'virtual-node.rekindle.dev',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        timeoutSeconds: 10,
        clientConfig: {
          service: { name, namespace },
          caBundle: Buffer.from(certificate.certificate).toString('base64'),
        },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        matchConditions: [
          { name: 'scenario', expression: `request.namespace.startsWith('${namespacePrefix}')` },
          {
            name: 'serverless',
            expression: `has(object.metadata.annotations) && '${virtualNode.annotation}' in object.metadata.annotations`,
          },
        ],
      },
    ],
  };
}
