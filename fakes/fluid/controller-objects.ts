import type { KubernetesObject, V1PolicyRule } from '@kubernetes/client-node';
import { group } from './custom-objects.ts';
import { inHarnessImage } from './harness-images.ts';

export interface ControllerObjects {
  readonly namespace: string;
  /** Of cluster-scoped objects; nothing else in the cluster has it. */
  readonly clusterName: string;
  readonly image: string;
  /** As in `OnCluster`. */
  readonly holds: string;
  readonly labels: Readonly<Record<string, string>>;
}

const name = 'fluid-controllers';
const port = 8081;

/** What the controllers call, and no more. */
const rules: V1PolicyRule[] = [
  { apiGroups: [group], resources: ['datasets', 'jindoruntimes'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [group], resources: ['datasets/status', 'jindoruntimes/status'], verbs: ['update'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] },
  {
    apiGroups: [''],
    resources: ['pods', 'persistentvolumes', 'persistentvolumeclaims'],
    verbs: ['list', 'watch', 'create', 'delete'],
  },
  { apiGroups: ['apps'], resources: ['daemonsets'], verbs: ['list', 'watch', 'create', 'delete'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
];

/** Fluid's controllers as a Deployment with a service account that may do what they do. */
export function controllerObjects(options: ControllerObjects): readonly KubernetesObject[] {
  const { namespace, clusterName, image, holds, labels } = options;
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
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: meta,
      spec: {
        replicas: 1,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: own },
        template: {
          metadata: { labels: { ...labels, ...own } },
          spec: {
            serviceAccountName: name,
            tolerations: [{ operator: 'Exists' }],
            terminationGracePeriodSeconds: 2,
            containers: [
              {
                name,
                image,
                command: ['node', inHarnessImage.controllers, `--image=${image}`, `--holds=${holds}`],
                readinessProbe: { httpGet: { path: '/healthz', port }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
  ];
  return objects;
}
