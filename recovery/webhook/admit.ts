import { isReadOnly, recoveryLabel } from '../engine/policy.ts';
import { type DatasetVolume, datasetVolumes, missingClaims, type NewPod, subPathOf } from './dataset-mounts.ts';
import type { Facts } from './facts.ts';
import { asksForRecovery, kindOf, type Mounted, recoverPolicy, sidecarTarget } from './pod.ts';
import { wantedPropagation } from './propagation.ts';
import { planSidecars } from './sidecars.ts';

/** The answer to a pod's creation. Sentences name volume, container and remedy. */
export type Admission =
  | { readonly allowed: true; readonly warnings: readonly string[] }
  | { readonly allowed: false; readonly denied: string; readonly warnings: readonly string[] };

/** Whether a pod may be created, and what its author is to know. Pure; the same for a pod that was mutated already. */
export function admit(pod: NewPod, facts: Facts): Admission {
  const kind = kindOf(pod.pod);
  if (kind === 'other') return { allowed: true, warnings: [] };
  const missing = missingClaims(pod, facts);
  const datasets = datasetVolumes(pod, facts);
  const denials = [
    ...missing.map(noSuchClaim),
    ...(kind === 'labelled' || asksForRecovery(pod.pod)
      ? datasets.flatMap(({ mounts, name, claim }) =>
          mounts.flatMap((mount) => deniedSubPath({ kind, mount, name, claim })),
        )
      : []),
  ];
  const { denied, warnings } =
    kind === 'labelled' ? { denied: [], warnings: datasets.flatMap(warnLabelled) } : planSidecars(pod, facts);
  const all = [...denials, ...denied];
  if (all.length > 0) return { allowed: false, denied: all.join('; '), warnings: [] };
  return { allowed: true, warnings };
}

function noSuchClaim(claim: string): string {
  return `claim "${claim}" is not there, so it cannot be told whether it is a dataset's: create the pod once the Dataset is Bound`;
}

function deniedSubPath({
  kind,
  mount,
  name,
  claim,
}: {
  readonly kind: 'labelled' | 'serverless';
  readonly mount: Mounted;
  readonly name: string;
  readonly claim: string;
}): readonly string[] {
  const found = subPathOf(mount);
  if (found === undefined) return [];
  const { container } = mount;
  const what = container.kind === 'initContainers' ? 'init container' : 'container';
  const asking = kind === 'labelled' ? `label ${recoveryLabel}` : `annotation ${recoverPolicy.annotation}`;
  return [
    `${what} "${container.name}" mounts ${found.field} "${shortened(found.path)}" of volume "${name}" (dataset ${claim}), which FUSE recovery does not support: mount the whole volume, or remove the ${asking}`,
  ];
}

function warnLabelled({ name, claim, volume, mounts }: DatasetVolume): readonly string[] {
  const readWrite = isReadOnly(volume)
    ? []
    : [
        `dataset ${claim} is not read-only (${volume.accessModes.join(', ') || 'no access mode'}), so volume "${name}" is not recovered after a crash of its FUSE daemon: set spec.accessModes of the Dataset to ReadOnlyMany alone`,
      ];
  return [...readWrite, ...mounts.flatMap((mount) => wantedPropagation(mount).warning ?? [])];
}

const longest = 80;

/** A field may be 64 KB long; a sentence may not. */
function shortened(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

/** Labels by which the API server is to call the webhook, for its registration. */
export const selectors = [
  { entry: 'fuse.serverful.fluid.io', key: recoveryLabel, value: 'true' },
  { entry: 'sidecar.fuse.fluid.io', key: sidecarTarget.label, value: sidecarTarget.value },
] as const;
