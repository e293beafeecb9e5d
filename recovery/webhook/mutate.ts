import { datasetVolumes, type NewPod } from './dataset-mounts.ts';
import type { Facts } from './facts.ts';
import { kindOf } from './pod.ts';
import { wantedPropagation } from './propagation.ts';
import { planSidecars } from './sidecars.ts';

/** JSON patch (RFC 6902), as far as it is needed here. */
export type JsonPatch = readonly { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }[];

/** What a pod is changed by when it is created. Pure; empty for a pod that `admit` denies, and for one that was changed before. */
export function mutate(pod: NewPod, facts: Facts): JsonPatch {
  switch (kindOf(pod.pod)) {
    case 'labelled':
      return datasetVolumes(pod, facts).flatMap(({ mounts }) =>
        mounts
          .filter((mount) => wantedPropagation(mount).set)
          .map(({ container, index }) => ({
            op: 'add' as const,
            path: `/spec/${container.kind}/${container.index}/volumeMounts/${index}/mountPropagation`,
            value: 'HostToContainer',
          })),
      );
    case 'serverless':
      return planSidecars(pod, facts).patch;
    case 'other':
      return [];
  }
}
