import type { ApiObject, Draft, Json, JsonObject } from './api-object.ts';
import { isJsonObject, listAt, objectAt, sameJson, stringAt, without } from './api-object.ts';
import type { Column } from './resource.ts';
import type { FieldCause } from './status.ts';
import { forbiddenField, invalidValue } from './status.ts';
import { checkName, checkSpec, requiredList, requiredString } from './validation.ts';

const defaultGraceSeconds = 30;

/** Makes a new pod Pending and sets the defaults that node agents and controllers read. */
export function preparePod(pod: Draft): Draft {
  const spec = objectAt(pod, 'spec');
  return {
    ...pod,
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: defaultGraceSeconds,
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      serviceAccountName: 'default',
      ...spec,
    },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  };
}

/** Requires a relative path that does not lead upwards (`validateLocalDescendingPath`). */
function checkLocalPath(field: string, path: string): readonly FieldCause[] {
  if (path.startsWith('/')) return [invalidValue(field, path, 'must be a relative path')];
  return path.split('/').includes('..') ? [invalidValue(field, path, "must not contain '..'")] : [];
}

function checkContainer(container: JsonObject, field: string, volumes: ReadonlySet<string>): readonly FieldCause[] {
  return [
    ...(stringAt(container, 'name') === ''
      ? requiredString(container, field, 'name')
      : checkName(`${field}.name`, stringAt(container, 'name'), 'label')),
    ...requiredString(container, field, 'image'),
    ...listAt(container, 'volumeMounts').flatMap((mount, index): readonly FieldCause[] => {
      const path = `${field}.volumeMounts[${index}]`;
      const name = stringAt(mount, 'name');
      return [
        ...requiredString(mount, path, 'name'),
        ...requiredString(mount, path, 'mountPath'),
        // Kubernetes omits the index here.
        ...checkLocalPath(`${field}.volumeMounts.subPath`, stringAt(mount, 'subPath')),
        ...checkLocalPath(`${field}.volumeMounts.subPathExpr`, stringAt(mount, 'subPathExpr')),
        ...(name === '' || volumes.has(name) ? [] : [invalidValue(`${path}.name`, name, 'Not found')]),
      ];
    }),
  ];
}

export function checkPod(pod: JsonObject): readonly FieldCause[] {
  const specCauses = checkSpec(pod);
  if (specCauses.length > 0) return specCauses;
  const volumes = new Set(listAt(pod, 'spec', 'volumes').map((volume) => stringAt(volume, 'name')));
  const check = (container: JsonObject, field: string): readonly FieldCause[] =>
    checkContainer(container, field, volumes);
  const grace = objectAt(pod, 'spec').terminationGracePeriodSeconds;
  return [
    ...requiredList(pod, ['spec', 'containers'], check),
    ...(listAt(pod, 'spec', 'initContainers').length > 0 ? requiredList(pod, ['spec', 'initContainers'], check) : []),
    ...listAt(pod, 'spec', 'volumes').flatMap((volume, index) => {
      const path = `spec.volumes[${index}]`;
      const claim = isJsonObject(volume) ? volume.persistentVolumeClaim : undefined;
      return [
        ...requiredString(volume, path, 'name'),
        ...(claim === undefined ? [] : requiredString(claim, `${path}.persistentVolumeClaim`, 'claimName')),
      ];
    }),
    ...(grace === undefined || (typeof grace === 'number' && Number.isInteger(grace) && grace >= 0)
      ? []
      : [invalidValue('spec.terminationGracePeriodSeconds', JSON.stringify(grace), 'must be a non-negative integer')]),
  ];
}

const withoutImages = (containers: Json | undefined): Json =>
  Array.isArray(containers)
    ? containers.map((container: Json) => (isJsonObject(container) ? without(container, 'image') : container))
    : [];

/** Only images, tolerations and deadlines of a pod's spec may change. */
export function checkPodUpdate(before: ApiObject, after: ApiObject): readonly FieldCause[] {
  const immutable = ({ spec = {} }: ApiObject): JsonObject => ({
    ...without(spec, 'tolerations', 'activeDeadlineSeconds', 'terminationGracePeriodSeconds', 'ephemeralContainers'),
    containers: withoutImages(spec.containers),
    initContainers: withoutImages(spec.initContainers),
  });
  if (sameJson(immutable(before), immutable(after))) return [];
  return [
    forbiddenField(
      'spec',
      'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)',
    ),
  ];
}

/** A kubelet removes a running pod; a pod without a node, or one that has ended, is removed at once. */
export function podGrace(pod: ApiObject): number {
  const phase = stringAt(pod, 'status', 'phase');
  if (stringAt(pod, 'spec', 'nodeName') === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = pod.spec?.terminationGracePeriodSeconds;
  return typeof seconds === 'number' ? seconds : defaultGraceSeconds;
}

/** Assigns the pod to a node and sets the condition PodScheduled. */
export function boundPod(pod: ApiObject, nodeName: string, now: string): ApiObject {
  const others = listAt(pod, 'status', 'conditions').filter(
    (condition) => stringAt(condition, 'type') !== 'PodScheduled',
  );
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now };
  return {
    ...pod,
    spec: { ...pod.spec, nodeName },
    status: { ...pod.status, conditions: [...others, scheduled] },
  };
}

const statuses = (pod: ApiObject): readonly Json[] => listAt(pod, 'status', 'containerStatuses');

function phase(pod: ApiObject): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const waiting = statuses(pod).map((status) => stringAt(status, 'state', 'waiting', 'reason'));
  return waiting.find((reason) => reason !== '') ?? stringAt(pod, 'status', 'phase');
}

export const podColumns: readonly Column[] = [
  {
    name: 'Ready',
    read: (pod) => {
      const ready = statuses(pod).filter((status) => stringAt(status, 'ready') === 'true').length;
      return `${ready}/${listAt(pod, 'spec', 'containers').length}`;
    },
  },
  { name: 'Status', read: phase },
  {
    name: 'Restarts',
    read: (pod) =>
      String(statuses(pod).reduce<number>((sum, status) => sum + Number(stringAt(status, 'restartCount')), 0)),
  },
];

export const podWideColumns: readonly Column[] = [
  { name: 'IP', wide: true, read: (pod) => stringAt(pod, 'status', 'podIP') || '<none>' },
  { name: 'Node', wide: true, read: (pod) => stringAt(pod, 'spec', 'nodeName') || '<none>' },
];
