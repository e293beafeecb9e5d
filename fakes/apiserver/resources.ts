import { listAt, objectAt, sameJson, stringAt } from './api-object.ts';
import { coreKinds, plain } from './core-kinds.ts';
import { podDisruptionBudget } from './eviction.ts';
import type { Resource } from './resource.ts';
import { invalidValue, required } from './status.ts';
import { checkSpec, requiredList, requiredString } from './validation.ts';

const webhookConfiguration = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  custom: false,
  status: 'none',
  generation: true,
  returnsDeleted: false,
  names: 'subdomain',
  fields: {},
  columns: [{ name: 'Webhooks', read: (object) => String(listAt(object, 'webhooks').length) }],
  check: (object) =>
    listAt(object, 'webhooks').length === 0
      ? []
      : requiredList(object, ['webhooks'], (webhook, field) => {
          const { url, service } = objectAt(webhook, 'clientConfig');
          const effects = stringAt(webhook, 'sideEffects');
          const config = `${field}.clientConfig`;
          return [
            ...requiredString(webhook, field, 'name'),
            ...((url === undefined) === (service === undefined)
              ? [required(config, 'exactly one of url or service is required')]
              : []),
            ...(typeof url === 'string' && !url.startsWith('https://')
              ? [invalidValue(`${config}.url`, url, "'https' is the only allowed URL scheme")]
              : []),
            ...(listAt(webhook, 'admissionReviewVersions').includes('v1')
              ? []
              : [required(`${field}.admissionReviewVersions`, 'must include at least one of v1')]),
            ...(['None', 'NoneOnDryRun'].includes(effects)
              ? []
              : [invalidValue(`${field}.sideEffects`, effects, 'must be None or NoneOnDryRun')]),
          ];
        }),
} as const satisfies Partial<Resource>;

const webhookKinds: readonly Resource[] = [
  { ...webhookConfiguration, kind: 'MutatingWebhookConfiguration', plural: 'mutatingwebhookconfigurations' },
  { ...webhookConfiguration, kind: 'ValidatingWebhookConfiguration', plural: 'validatingwebhookconfigurations' },
];

const fluid = {
  group: 'data.fluid.io',
  version: 'v1alpha1',
  categories: ['fluid'],
  namespaced: true,
  custom: true,
  status: 'separate',
  generation: true,
  returnsDeleted: false,
  names: 'subdomain',
  fields: {},
  check: checkSpec,
} as const satisfies Partial<Resource>;

const rbac = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  shortNames: [],
  custom: false,
  status: 'none',
  generation: false,
  returnsDeleted: false,
  names: 'path',
  fields: {},
  columns: [],
} as const satisfies Partial<Resource>;

const binding = {
  ...rbac,
  check: (object) => [
    ...requiredString(object.roleRef, 'roleRef', 'kind'),
    ...requiredString(object.roleRef, 'roleRef', 'name'),
  ],
  checkUpdate: (before, after) =>
    sameJson(before.roleRef, after.roleRef)
      ? []
      : [invalidValue('roleRef', stringAt(after.roleRef, 'name'), 'cannot change roleRef')],
} as const satisfies Partial<Resource>;

const rbacKinds: readonly Resource[] = [
  { ...rbac, kind: 'ClusterRole', plural: 'clusterroles', namespaced: false },
  { ...rbac, kind: 'Role', plural: 'roles', namespaced: true },
  { ...binding, kind: 'ClusterRoleBinding', plural: 'clusterrolebindings', namespaced: false },
  { ...binding, kind: 'RoleBinding', plural: 'rolebindings', namespaced: true },
];

/** All kinds that are served. */
export const resources: readonly Resource[] = [
  ...coreKinds,
  ...webhookKinds,
  ...rbacKinds,
  {
    group: 'apps',
    version: 'v1',
    kind: 'DaemonSet',
    plural: 'daemonsets',
    shortNames: ['ds'],
    namespaced: true,
    custom: false,
    status: 'separate',
    generation: true,
    returnsDeleted: false,
    names: 'subdomain',
    fields: {},
    columns: [
      { name: 'Desired', read: (set) => stringAt(set, 'status', 'desiredNumberScheduled') || '0' },
      { name: 'Ready', read: (set) => stringAt(set, 'status', 'numberReady') || '0' },
    ],
    check: (set) => [
      ...checkSpec(set),
      ...(Object.keys(objectAt(set, 'spec', 'selector')).length > 0 ? [] : [required('spec.selector')]),
      ...requiredList(set, ['spec', 'template', 'spec', 'containers'], (container, field) => [
        ...requiredString(container, field, 'name'),
        ...requiredString(container, field, 'image'),
      ]),
    ],
  },
  podDisruptionBudget,
  {
    ...plain,
    group: 'coordination.k8s.io',
    kind: 'Lease',
    plural: 'leases',
    columns: [{ name: 'Holder', read: (lease) => stringAt(lease, 'spec', 'holderIdentity') }],
  },
  {
    group: 'storage.k8s.io',
    version: 'v1',
    kind: 'CSIDriver',
    plural: 'csidrivers',
    shortNames: [],
    namespaced: false,
    custom: false,
    status: 'none',
    generation: false,
    returnsDeleted: true,
    names: 'subdomain',
    fields: {},
    columns: [],
    check: checkSpec,
  },
  {
    ...fluid,
    kind: 'Dataset',
    plural: 'datasets',
    shortNames: ['dataset'],
    columns: [
      { name: 'Ufs Total Size', read: (dataset) => stringAt(dataset, 'status', 'ufsTotal') },
      { name: 'Phase', read: (dataset) => stringAt(dataset, 'status', 'phase') },
      {
        name: 'Mounts',
        wide: true,
        read: (dataset) =>
          listAt(dataset, 'spec', 'mounts')
            .map((mount) => stringAt(mount, 'mountPoint'))
            .join(','),
      },
    ],
  },
  {
    ...fluid,
    kind: 'JindoRuntime',
    plural: 'jindoruntimes',
    shortNames: ['jindo'],
    columns: [
      { name: 'Worker Phase', read: (runtime) => stringAt(runtime, 'status', 'workerPhase') },
      { name: 'Fuse Phase', read: (runtime) => stringAt(runtime, 'status', 'fusePhase') },
    ],
  },
];

/** Finds a kind by group, version and plural name. */
export function findResource(group: string, version: string, plural: string): Resource | undefined {
  return resources.find(
    (resource) => resource.group === group && resource.version === version && resource.plural === plural,
  );
}
