import { recoveryLabel } from '../engine/policy.ts';
import { objectAt, textAt, texts, type UncheckedObject } from '../kubernetes/json.ts';

/** A pod that is about to be created. Its own `metadata.namespace` may be empty, so the namespace comes from the request. */
export interface NewPod {
  readonly namespace: string;
  readonly pod: UncheckedObject;
}

/** The JSON patch operations (RFC 6902) that this webhook uses. */
export type JsonPatch = readonly { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }[];

/** The kind of recovery that a pod requests with its labels. */
export type PodKind =
  /** Sidecars serve its datasets: `alibabacloud.com/fluid-sidecar-target: eci`, which wins if both labels are set. */
  | 'serverless'
  /** Recovery on an ordinary node: `fuse.serverful.fluid.io/inject: "true"`. */
  | 'labelled'
  /** No recovery, or the sidecars have already been injected. */
  | 'other';

/** The label by which a pod requests sidecars. */
export const sidecarTarget = { label: 'alibabacloud.com/fluid-sidecar-target', value: 'eci' } as const;
/** Only has an effect on serverless pods. */
export const recoverPolicy = { annotation: 'alibabacloud.com/fuse-recover-policy', value: 'auto' } as const;
/** Set on pods that have their sidecars. */
export const injected = { label: 'done.sidecar.fluid.io/inject', value: 'true' } as const;

export const containerKinds = ['initContainers', 'containers'] as const;
export type ContainerKind = (typeof containerKinds)[number];

export interface AdmittedContainer {
  readonly kind: ContainerKind;
  /** Index in the list as it was sent. */
  readonly index: number;
  readonly name: string;
  readonly value: UncheckedObject;
}

export interface PodVolumeMount {
  readonly container: AdmittedContainer;
  /** Index in the container's list as it was sent. */
  readonly index: number;
  readonly value: UncheckedObject;
}

export const podLabels = (pod: UncheckedObject): Readonly<Record<string, string>> =>
  texts(objectAt(pod, 'metadata', 'labels'));

export function podKind(pod: UncheckedObject): PodKind {
  const labels = podLabels(pod);
  if (labels[sidecarTarget.label] === sidecarTarget.value)
    return labels[injected.label] === injected.value ? 'other' : 'serverless';
  return labels[recoveryLabel] === 'true' ? 'labelled' : 'other';
}

/** Whether the pod has the annotation by which serverless pods request recovery. */
export function requestsRecovery(pod: UncheckedObject): boolean {
  return texts(objectAt(pod, 'metadata', 'annotations'))[recoverPolicy.annotation] === recoverPolicy.value;
}

/** The objects of a list with their indices. Other values are skipped but still counted. */
export function indexedObjects(
  value: UncheckedObject,
  key: string,
): readonly { readonly index: number; readonly value: UncheckedObject }[] {
  const list = value[key];
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? [{ index, value: item as UncheckedObject }]
      : [],
  );
}

/** The pod's containers in the order in which they run: init containers first. */
export function listContainers(pod: UncheckedObject): readonly AdmittedContainer[] {
  const spec = objectAt(pod, 'spec');
  return containerKinds.flatMap((kind) =>
    indexedObjects(spec, kind).map(({ index, value }) => ({ kind, index, name: textAt(value, 'name') ?? '', value })),
  );
}

/** The claims that the pod's volumes refer to, keyed by the volume's name. */
export function claimsByVolume(
  pod: UncheckedObject,
): ReadonlyMap<string, { readonly claim: string; readonly readOnly: boolean }> {
  return new Map(
    indexedObjects(objectAt(pod, 'spec'), 'volumes').flatMap(({ value }) => {
      const name = textAt(value, 'name');
      const source = objectAt(value, 'persistentVolumeClaim');
      const claim = textAt(source, 'claimName');
      return name === undefined || claim === undefined ? [] : [[name, { claim, readOnly: source.readOnly === true }]];
    }),
  );
}

/** The volumeMounts of one of the pod's volumes, in all containers. */
export function volumeMounts(pod: UncheckedObject, volume: string): readonly PodVolumeMount[] {
  return listContainers(pod).flatMap((container) =>
    indexedObjects(container.value, 'volumeMounts')
      .filter(({ value }) => value.name === volume)
      .map(({ index, value }) => ({ container, index, value })),
  );
}

/** The `subPath` or `subPathExpr` of a volumeMount, or undefined if it mounts the whole volume. */
export function findSubPath({
  value,
}: PodVolumeMount): { readonly field: 'subPath' | 'subPathExpr'; readonly path: string } | undefined {
  for (const field of ['subPath', 'subPathExpr'] as const) {
    const path = textAt(value, field);
    if (path !== undefined) return { field, path };
  }
  return undefined;
}
