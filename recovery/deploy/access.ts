import type { KubernetesObject, V1PolicyRule } from '@kubernetes/client-node';
import { configurationNames } from '../webhook/registration.ts';
import { labelsOf, names } from './names.ts';
import type { ManifestOptions } from './options.ts';

const rbac = 'rbac.authorization.k8s.io';
const watched = ['list', 'watch'];

/** What recovery asks of the API server, and nothing else; a test holds it against the calls that are made. */
const recoveryRules: readonly V1PolicyRule[] = [
  { apiGroups: [''], resources: ['pods', 'persistentvolumes', 'persistentvolumeclaims'], verbs: watched },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  { apiGroups: ['data.fluid.io'], resources: ['datasets'], verbs: ['get'] },
];

/** To see the gate of the node plugin that it stands beside. */
const besideRules: readonly V1PolicyRule[] = [
  { apiGroups: ['apps'], resources: ['daemonsets'], resourceNames: [names.agent], verbs: watched },
];

const webhookRules: readonly V1PolicyRule[] = [
  { apiGroups: [''], resources: ['persistentvolumes', 'persistentvolumeclaims'], verbs: ['get', ...watched] },
  { apiGroups: ['apps'], resources: ['daemonsets'], verbs: watched },
  ...configurationNames.map(({ plural, name }) => ({
    apiGroups: ['admissionregistration.k8s.io'],
    resources: [plural],
    resourceNames: [name],
    verbs: ['patch'],
  })),
];

const webhookSecretRules: readonly V1PolicyRule[] = [
  { apiGroups: [''], resources: ['secrets'], resourceNames: [names.certificates], verbs: ['get', 'patch'] },
];

export function agentAccess({ namespace }: ManifestOptions): readonly KubernetesObject[] {
  return access({ part: names.agent, namespace, everywhere: recoveryRules });
}

export function besideAccess({ namespace }: ManifestOptions): readonly KubernetesObject[] {
  return access({ part: names.beside, namespace, everywhere: [...recoveryRules, ...besideRules] });
}

export function webhookAccess({ namespace }: ManifestOptions): readonly KubernetesObject[] {
  return access({ part: names.webhook, namespace, everywhere: webhookRules, inNamespace: webhookSecretRules });
}

interface Access {
  readonly part: string;
  readonly namespace: string;
  readonly everywhere: readonly V1PolicyRule[];
  readonly inNamespace?: readonly V1PolicyRule[];
}

/** A service account of the same name as its part, and its rights. */
function access({ part, namespace, everywhere, inNamespace }: Access): readonly KubernetesObject[] {
  const labels = labelsOf(part);
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: part, namespace, labels } };
  const subjects = [{ kind: 'ServiceAccount', name: part, namespace }];
  const granted = (kind: 'ClusterRole' | 'Role', metadata: object, rules: readonly V1PolicyRule[]) => [
    { apiVersion: `${rbac}/v1`, kind, metadata, rules: [...rules] },
    {
      apiVersion: `${rbac}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: rbac, kind, name: metadataName(metadata) },
      subjects,
    },
  ];
  return [
    account,
    ...granted('ClusterRole', { name: `rekindle:${part}`, labels }, everywhere),
    ...(inNamespace === undefined ? [] : granted('Role', { name: part, namespace, labels }, inNamespace)),
  ];
}

const metadataName = (metadata: object): string => ('name' in metadata ? String(metadata.name) : '');
