import type { Draft, Json, JsonObject } from './api-object.ts';
import { listAt, objectAt, stringAt } from './api-object.ts';
import { checkPod, checkPodUpdate, podColumns, podGrace, podWideColumns, preparePod } from './pods.ts';
import type { Resource } from './resource.ts';
import type { FieldCause } from './status.ts';
import { forbiddenField, invalidValue, required } from './status.ts';
import { checkSpec, checkStringMap, requiredString } from './validation.ts';

/** What most kinds have in common: namespaced, without status, generation, fields and columns. */
export const plain = {
  group: '',
  version: 'v1',
  shortNames: [],
  namespaced: true,
  custom: false,
  status: 'none',
  generation: false,
  returnsDeleted: false,
  names: 'subdomain',
  fields: {},
  columns: [],
} as const satisfies Partial<Resource>;

/** `stringData` is write-only: it is encoded in base64 and merged into `data` (Secret v1). */
function prepareSecret(secret: Draft): Draft {
  const { stringData, ...rest } = secret;
  const encoded = Object.entries(objectAt({ stringData }, 'stringData')).map(([key, value]): [string, Json] => [
    key,
    // A value that is not a string is left to the check, which names the key.
    typeof value === 'string' ? Buffer.from(value).toString('base64') : (value ?? null),
  ]);
  const data = { ...objectAt(rest, 'data'), ...Object.fromEntries(encoded) };
  return { ...rest, ...(Object.keys(data).length > 0 ? { data } : {}), type: rest.type ?? 'Opaque' };
}

const pending = (object: Draft): Draft => ({ ...object, status: { phase: 'Pending' } });

function checkAccessModes(object: JsonObject): readonly FieldCause[] {
  return listAt(object, 'spec', 'accessModes').length > 0
    ? []
    : [required('spec.accessModes', 'at least 1 access mode is required')];
}

function checkVolume(volume: JsonObject): readonly FieldCause[] {
  const csi = objectAt(volume, 'spec', 'csi');
  return [
    ...checkSpec(volume),
    ...(Object.keys(objectAt(volume, 'spec', 'capacity')).length > 0 ? [] : [required('spec.capacity')]),
    ...checkAccessModes(volume),
    ...(Object.keys(csi).length === 0
      ? []
      : [...requiredString(csi, 'spec.csi', 'driver'), ...requiredString(csi, 'spec.csi', 'volumeHandle')]),
  ];
}

/** As `legacyValidateEvent` of kube-apiserver: an event is in the namespace of its object, or in `default` if the object has none. */
function checkEvent(event: JsonObject): readonly FieldCause[] {
  const involvedObject = objectAt(event, 'involvedObject');
  const involvedNamespace = stringAt(involvedObject, 'namespace');
  const matches = stringAt(event, 'metadata', 'namespace') === (involvedNamespace || 'default');
  const field = 'involvedObject.namespace';
  return [
    ...requiredString(involvedObject, 'involvedObject', 'kind'),
    ...(matches ? [] : [invalidValue(field, involvedNamespace, 'does not match event.namespace')]),
  ];
}

const capacity = (path: readonly string[]) => ({
  name: 'Capacity',
  read: (object: JsonObject) => stringAt(objectAt(object, ...path), 'storage'),
});
const modes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};
const accessModes = {
  name: 'Access Modes',
  read: (object: JsonObject) =>
    listAt(object, 'spec', 'accessModes')
      .map((mode) => modes[String(mode)] ?? String(mode))
      .join(','),
};
const phase = { name: 'Status', read: (object: JsonObject) => stringAt(object, 'status', 'phase') };
const storageClass = {
  name: 'StorageClass',
  read: (object: JsonObject) => stringAt(object, 'spec', 'storageClassName'),
};

export const coreKinds: readonly Resource[] = [
  {
    ...plain,
    kind: 'Namespace',
    plural: 'namespaces',
    shortNames: ['ns'],
    namespaced: false,
    status: 'separate',
    names: 'label',
    fields: { 'status.phase': (object) => stringAt(object, 'status', 'phase') },
    columns: [phase],
    prepare: (object) => ({ ...object, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }),
  },
  {
    ...plain,
    kind: 'Node',
    plural: 'nodes',
    shortNames: ['no'],
    namespaced: false,
    status: 'with-object',
    fields: { 'spec.unschedulable': (object) => stringAt(object, 'spec', 'unschedulable') || 'false' },
    columns: [
      {
        name: 'Status',
        read: (node) => {
          const ready = listAt(node, 'status', 'conditions').find(
            (condition) => stringAt(condition, 'type') === 'Ready',
          );
          return stringAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
        },
      },
      { name: 'Version', read: (node) => stringAt(node, 'status', 'nodeInfo', 'kubeletVersion') },
    ],
    check: checkSpec,
  },
  {
    ...plain,
    kind: 'Pod',
    plural: 'pods',
    shortNames: ['po'],
    status: 'separate',
    generation: true,
    returnsDeleted: true,
    fields: {
      'spec.nodeName': (pod) => stringAt(pod, 'spec', 'nodeName'),
      'spec.restartPolicy': (pod) => stringAt(pod, 'spec', 'restartPolicy'),
      'spec.schedulerName': (pod) => stringAt(pod, 'spec', 'schedulerName'),
      'spec.serviceAccountName': (pod) => stringAt(pod, 'spec', 'serviceAccountName'),
      'spec.hostNetwork': (pod) => stringAt(pod, 'spec', 'hostNetwork') || 'false',
      'status.phase': (pod) => stringAt(pod, 'status', 'phase'),
      'status.podIP': (pod) => stringAt(pod, 'status', 'podIP'),
    },
    columns: [...podColumns, ...podWideColumns],
    prepare: preparePod,
    check: checkPod,
    checkUpdate: checkPodUpdate,
    grace: podGrace,
  },
  {
    ...plain,
    kind: 'PersistentVolume',
    plural: 'persistentvolumes',
    shortNames: ['pv'],
    namespaced: false,
    status: 'separate',
    returnsDeleted: true,
    columns: [
      capacity(['spec', 'capacity']),
      accessModes,
      phase,
      {
        name: 'Claim',
        read: (volume) =>
          `${stringAt(volume, 'spec', 'claimRef', 'namespace')}/${stringAt(volume, 'spec', 'claimRef', 'name')}`,
      },
      storageClass,
    ],
    prepare: (volume) => ({
      ...pending(volume),
      spec: { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem', ...objectAt(volume, 'spec') },
    }),
    check: checkVolume,
    checkUpdate: (before, after) =>
      JSON.stringify(before.spec?.csi) === JSON.stringify(after.spec?.csi)
        ? []
        : [forbiddenField('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation')],
  },
  {
    ...plain,
    kind: 'PersistentVolumeClaim',
    plural: 'persistentvolumeclaims',
    shortNames: ['pvc'],
    status: 'separate',
    returnsDeleted: true,
    columns: [
      phase,
      { name: 'Volume', read: (claim) => stringAt(claim, 'spec', 'volumeName') },
      capacity(['status', 'capacity']),
      accessModes,
      storageClass,
    ],
    prepare: pending,
    check: (claim) => [...checkSpec(claim), ...checkAccessModes(claim)],
  },
  {
    ...plain,
    group: 'storage.k8s.io',
    kind: 'StorageClass',
    plural: 'storageclasses',
    shortNames: ['sc'],
    namespaced: false,
    columns: [{ name: 'Provisioner', read: (object) => stringAt(object, 'provisioner') }],
    prepare: (object) => ({ reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate', ...object }),
    check: (object) => [...requiredString(object, '', 'provisioner'), ...checkStringMap(object, 'parameters')],
  },
  {
    ...plain,
    kind: 'Secret',
    plural: 'secrets',
    fields: { type: (secret) => stringAt(secret, 'type') },
    columns: [
      { name: 'Type', read: (secret) => stringAt(secret, 'type') },
      { name: 'Data', read: (secret) => String(Object.keys(objectAt(secret, 'data')).length) },
    ],
    prepare: prepareSecret,
    check: (secret) => [...checkStringMap(secret, 'data'), ...checkStringMap(secret, 'stringData')],
  },
  {
    ...plain,
    kind: 'ConfigMap',
    plural: 'configmaps',
    shortNames: ['cm'],
    columns: [{ name: 'Data', read: (map) => String(Object.keys(objectAt(map, 'data')).length) }],
    check: (map) => checkStringMap(map, 'data'),
  },
  {
    ...plain,
    kind: 'Event',
    plural: 'events',
    shortNames: ['ev'],
    fields: {
      ...Object.fromEntries(
        ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map((key) => [
          `involvedObject.${key}`,
          (event: JsonObject) => stringAt(event, 'involvedObject', key),
        ]),
      ),
      reason: (event) => stringAt(event, 'reason'),
      type: (event) => stringAt(event, 'type'),
      source: (event) => stringAt(event, 'source', 'component'),
      reportingComponent: (event) => stringAt(event, 'reportingComponent'),
    },
    columns: [
      { name: 'Last Seen', read: (event) => stringAt(event, 'lastTimestamp') },
      { name: 'Type', read: (event) => stringAt(event, 'type') },
      { name: 'Reason', read: (event) => stringAt(event, 'reason') },
      {
        name: 'Object',
        read: (event) =>
          `${stringAt(event, 'involvedObject', 'kind').toLowerCase()}/${stringAt(event, 'involvedObject', 'name')}`,
      },
      { name: 'Message', read: (event) => stringAt(event, 'message') },
    ],
    check: checkEvent,
  },
  { ...plain, kind: 'ServiceAccount', plural: 'serviceaccounts', shortNames: ['sa'], returnsDeleted: true },
];
