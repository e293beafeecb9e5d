import { recoveryLabel } from '../engine/policy.ts';
import { type JsonObject, objectAt, textAt, texts } from '../kubernetes/json.ts';

/** What a pod asks for, by its labels. */
export type PodKind =
  /** A sidecar serves its datasets: `alibabacloud.com/fluid-sidecar-target: eci`, which wins where both labels are there. */
  | 'serverless'
  /** Recovery on an ordinary node: `fuse.serverful.fluid.io/inject: "true"`. */
  | 'labelled'
  /** Nothing, or it has been given its sidecars already. */
  | 'other';

/** Value that a pod asks for a sidecar with. */
export const sidecarTarget = { label: 'alibabacloud.com/fluid-sidecar-target', value: 'eci' } as const;
/** Counts on serverless pods only. */
export const recoverPolicy = { annotation: 'alibabacloud.com/fuse-recover-policy', value: 'auto' } as const;
/** On pods that have been given their sidecars. */
export const injected = { label: 'done.sidecar.fluid.io/inject', value: 'true' } as const;

export const containerKinds = ['initContainers', 'containers'] as const;
export type ContainerKind = (typeof containerKinds)[number];

/** A container of a pod that is to be created, and where it stands. */
export interface PodContainer {
  readonly kind: ContainerKind;
  /** In the list as it was sent. */
  readonly index: number;
  readonly name: string;
  readonly value: JsonObject;
}

/** A volumeMount, and where it stands in its container's list as it was sent. */
export interface Mounted {
  readonly container: PodContainer;
  readonly index: number;
  readonly value: JsonObject;
}

export const labelsOf = (pod: JsonObject): Readonly<Record<string, string>> =>
  texts(objectAt(pod, 'metadata', 'labels'));

export function kindOf(pod: JsonObject): PodKind {
  const labels = labelsOf(pod);
  if (labels[sidecarTarget.label] === sidecarTarget.value)
    return labels[injected.label] === injected.value ? 'other' : 'serverless';
  return labels[recoveryLabel] === 'true' ? 'labelled' : 'other';
}

/** Whether the pod asks for recovery by the annotation of serverless pods. */
export function asksForRecovery(pod: JsonObject): boolean {
  return texts(objectAt(pod, 'metadata', 'annotations'))[recoverPolicy.annotation] === recoverPolicy.value;
}

/** The objects of a list, each with its index; what is no object is passed over without moving the others. */
export function entriesAt(
  value: JsonObject,
  key: string,
): readonly { readonly index: number; readonly value: JsonObject }[] {
  const list = value[key];
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) =>
    typeof item === 'object' && item !== null && !Array.isArray(item) ? [{ index, value: item as JsonObject }] : [],
  );
}

/** Init containers first, as they run. */
export function containersOf(pod: JsonObject): readonly PodContainer[] {
  const spec = objectAt(pod, 'spec');
  return containerKinds.flatMap((kind) =>
    entriesAt(spec, kind).map(({ index, value }) => ({ kind, index, name: textAt(value, 'name') ?? '', value })),
  );
}

/** The claims that a pod's volumes name, by the volume's name. */
export function claimsOf(pod: JsonObject): ReadonlyMap<string, { readonly claim: string; readonly readOnly: boolean }> {
  return new Map(
    entriesAt(objectAt(pod, 'spec'), 'volumes').flatMap(({ value }) => {
      const name = textAt(value, 'name');
      const source = objectAt(value, 'persistentVolumeClaim');
      const claim = textAt(source, 'claimName');
      return name === undefined || claim === undefined ? [] : [[name, { claim, readOnly: source.readOnly === true }]];
    }),
  );
}

/** The volumeMounts of one of the pod's volumes. */
export function mountsOf(pod: JsonObject, volume: string): readonly Mounted[] {
  return containersOf(pod).flatMap((container) =>
    entriesAt(container.value, 'volumeMounts')
      .filter(({ value }) => value.name === volume)
      .map(({ index, value }) => ({ container, index, value })),
  );
}
