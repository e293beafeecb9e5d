import type { KubernetesObject, V1PolicyRule } from '@kubernetes/client-node';
import { runtimeTypes } from '../kubernetes/daemon-placement.ts';
import { configurationNames } from '../webhook/registration.ts';
import { labelsFor, type ManifestOptions, names, statusReader } from './options.ts';

const rbac = 'rbac.authorization.k8s.io';
const watched = ['list', 'watch'];

/**
 * The requests of recovery. A test compares them with the calls that are made. RBAC cannot limit them to the pods of a node and to what
 * these use (docs/adr/0053).
 */
const recoveryRules: readonly V1PolicyRule[] = [
  { apiGroups: [''], resources: ['pods'], verbs: watched },
  { apiGroups: [''], resources: ['persistentvolumes', 'persistentvolumeclaims'], verbs: ['get'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  { apiGroups: ['data.fluid.io'], resources: ['datasets'], verbs: ['get'] },
];

/** For `--read-write-scope=cluster`, which depends on the access modes of all volumes. */
export const allVolumesRules: readonly V1PolicyRule[] = [
  { apiGroups: [''], resources: ['persistentvolumes'], verbs: watched },
];

/** For `--fallback`: evictions, within budgets that the API server enforces, and what a pod's namespace asks for. */
export const fallbackRules: readonly V1PolicyRule[] = [
  { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
  { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
];

/** For `--patch-nodes=account`. With the kubelet's credentials an agent can patch only its own node. */
export const patchNodesRules: readonly V1PolicyRule[] = [{ apiGroups: [''], resources: ['nodes'], verbs: ['patch'] }];

/** To see whether a FUSE daemon may end once no pod of the node uses it. */
const placementRules: readonly V1PolicyRule[] = [
  { apiGroups: ['data.fluid.io'], resources: runtimeTypes.map((type) => `${type}runtimes`), verbs: ['get'] },
];

/** To watch the gate of the other node plugin. */
const besideRules: readonly V1PolicyRule[] = [
  { apiGroups: ['apps'], resources: ['daemonsets'], resourceNames: [names.agent], verbs: watched },
];

const webhookRules: readonly V1PolicyRule[] = [
  // Its label says whether a sidecar would be refused.
  { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
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

export function agentAccess(options: ManifestOptions): readonly KubernetesObject[] {
  const patchNodes = hasFlag(options.agentArgs, 'patch-nodes', 'account') ? patchNodesRules : [];
  const clusterRules = [...agentRules(options), ...placementRules, ...patchNodes];
  return access({ part: names.agent, namespace: options.namespace, clusterRules });
}

export function besideAccess(options: ManifestOptions): readonly KubernetesObject[] {
  const clusterRules = [...agentRules(options), ...besideRules];
  return access({ part: names.beside, namespace: options.namespace, clusterRules });
}

/** Whether an agent with these arguments has a flag with this value. It takes two forms of a flag, of which the last counts. */
export function hasFlag(args: readonly string[], name: string, value: string): boolean {
  const flag = new RegExp(`^--?${name}(?:=(.*))?$`, 's');
  const values = args.flatMap((word, index) => {
    const match = flag.exec(word);
    return match === null ? [] : [match[1] ?? args[index + 1]];
  });
  return values.at(-1) === value;
}

/** Rights that only some flags need are granted with them. */
function agentRules({ agentArgs }: Pick<ManifestOptions, 'agentArgs'>): readonly V1PolicyRule[] {
  return [
    ...recoveryRules,
    ...(hasFlag(agentArgs, 'read-write-scope', 'cluster') ? allVolumesRules : []),
    ...(hasFlag(agentArgs, 'fallback', 'annotated') ? fallbackRules : []),
  ];
}

export function webhookAccess({ namespace }: ManifestOptions): readonly KubernetesObject[] {
  return access({ part: names.webhook, namespace, clusterRules: webhookRules, namespaceRules: webhookSecretRules });
}

/**
 * What `rekindle status` and `rekindle explain` need. Nobody has it until an administrator binds it: in the namespace of the agents, to
 * read the mounts of all tenants.
 */
export function statusReaderRole(part: typeof names.agent | typeof names.beside): KubernetesObject {
  const rules: readonly V1PolicyRule[] = [
    { apiGroups: [''], resources: ['pods', 'events'], verbs: ['get', 'list'] },
    // The agent serves its status on the loopback address of its pod. Kubernetes asks for either verb, depending on its version.
    { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] },
  ];
  const name = part === names.agent ? statusReader : `${statusReader}-beside`;
  const metadata = { name, labels: labelsFor(part) };
  return { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, ...{ rules } };
}

interface Access {
  readonly part: string;
  readonly namespace: string;
  readonly clusterRules: readonly V1PolicyRule[];
  readonly namespaceRules?: readonly V1PolicyRule[];
}

/** A service account with the name of its part, and its roles. */
function access({ part, namespace, clusterRules, namespaceRules }: Access): readonly KubernetesObject[] {
  const labels = labelsFor(part);
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: part, namespace, labels } };
  const subjects = [{ kind: 'ServiceAccount', name: part, namespace }];
  const roleAndBinding = (kind: 'ClusterRole' | 'Role', metadata: object, rules: readonly V1PolicyRule[]) => [
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
    ...roleAndBinding('ClusterRole', { name: `rekindle:${part}`, labels }, clusterRules),
    ...(namespaceRules === undefined ? [] : roleAndBinding('Role', { name: part, namespace, labels }, namespaceRules)),
  ];
}

const metadataName = (metadata: object): string => ('name' in metadata ? String(metadata.name) : '');
