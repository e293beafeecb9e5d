import type { V1ClusterRole, V1ClusterRoleBinding, V1PolicyRule, V1ServiceAccount } from '@kubernetes/client-node';
import { labelsOf, names } from './names.ts';
import type { ManifestOptions } from './options.ts';

const watched = ['get', 'list', 'watch'];

/** What the agent asks of the API server, and nothing else. */
const agentRules: readonly V1PolicyRule[] = [
  { apiGroups: [''], resources: ['pods', 'persistentvolumes', 'persistentvolumeclaims'], verbs: ['list', 'watch'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  { apiGroups: ['data.fluid.io'], resources: ['datasets'], verbs: ['get'] },
];

const webhookRules: readonly V1PolicyRule[] = [
  { apiGroups: [''], resources: ['persistentvolumes', 'persistentvolumeclaims'], verbs: watched },
  { apiGroups: ['apps'], resources: ['daemonsets'], verbs: ['list', 'watch'] },
  {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    verbs: ['create', 'patch'],
  },
];

type Access = V1ServiceAccount | V1ClusterRole | V1ClusterRoleBinding;

export const agentAccess = (options: ManifestOptions) => access(names.agent, agentRules, options);
export const webhookAccess = (options: ManifestOptions) => access(names.webhook, webhookRules, options);

/** A service account of the same name as its part, and the rights of it. */
function access(part: string, rules: readonly V1PolicyRule[], { namespace }: ManifestOptions): readonly Access[] {
  const labels = labelsOf(part);
  const name = `rekindle-${part}`;
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: part, namespace, labels } },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name, labels }, rules: [...rules] },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name, labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name: part, namespace }],
    },
  ];
}
