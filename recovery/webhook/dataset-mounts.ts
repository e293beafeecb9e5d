import type { JsonObject } from '../kubernetes/json.ts';
import { textAt } from '../kubernetes/json.ts';
import { type DatasetClaim, datasetBehind, type Facts } from './facts.ts';
import { claimsOf, type Mounted, mountsOf } from './pod.ts';

/** A pod's volume that is a dataset's claim. */
export interface DatasetVolume extends DatasetClaim {
  /** Name of the pod's volume. */
  readonly name: string;
  /** `persistentVolumeClaim.readOnly` */
  readonly readOnly: boolean;
  readonly mounts: readonly Mounted[];
}

/** A pod that is to be created. Its own `metadata.namespace` may be empty; the request's counts. */
export interface NewPod {
  readonly namespace: string;
  readonly pod: JsonObject;
}

/** The pod's volumes that are datasets, in the order of its spec. */
export function datasetVolumes({ namespace, pod }: NewPod, facts: Facts): readonly DatasetVolume[] {
  return [...claimsOf(pod)].flatMap(([name, { claim, readOnly }]) => {
    const dataset = datasetBehind(facts, namespace, claim);
    return dataset === undefined ? [] : [{ ...dataset, name, readOnly, mounts: mountsOf(pod, name) }];
  });
}

/** Claims of the pod that nobody has made yet: whether they will be datasets cannot be known. */
export function missingClaims({ namespace, pod }: NewPod, { known }: Facts): readonly string[] {
  return [...claimsOf(pod).values()].map(({ claim }) => claim).filter((claim) => !known.has(`${namespace}/${claim}`));
}

/** The `subPath` or `subPathExpr` of a volumeMount, where it has one. */
export function subPathOf({
  value,
}: Mounted): { readonly field: 'subPath' | 'subPathExpr'; readonly path: string } | undefined {
  for (const field of ['subPath', 'subPathExpr'] as const) {
    const path = textAt(value, field);
    if (path !== undefined) return { field, path };
  }
  return undefined;
}
