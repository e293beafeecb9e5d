import { listAt, objectAt, stringAt } from './api-object.ts';
import { coreKinds } from './core-kinds.ts';
import { requiredList, requiredString, specIsObject } from './required-fields.ts';
import type { Resource } from './resource.ts';
import { required } from './status.ts';
import { webhookKinds } from './webhook-kinds.ts';

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
  check: specIsObject,
} as const satisfies Partial<Resource>;

/** Every kind that is served. */
export const resources: readonly Resource[] = [
  ...coreKinds,
  ...webhookKinds,
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
      ...specIsObject(set),
      ...(Object.keys(objectAt(set, 'spec', 'selector')).length > 0 ? [] : [required('spec.selector')]),
      ...requiredList(set, ['spec', 'template', 'spec', 'containers'], (container, field) => [
        ...requiredString(container, field, 'name'),
        ...requiredString(container, field, 'image'),
      ]),
    ],
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
    check: specIsObject,
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

/** The resource of a path's group, version and plural. */
export function findResource(group: string, version: string, plural: string): Resource | undefined {
  return resources.find(
    (resource) => resource.group === group && resource.version === version && resource.plural === plural,
  );
}
