import { isReadOnly, recoveryLabel } from '../engine/policy.ts';
import { type ClusterState, type DatasetVolume, datasetVolumes, missingClaims, readWriteWarning } from './facts.ts';
import { checkPropagation } from './mutate.ts';
import {
  findSubPath,
  type NewPod,
  type PodKind,
  type PodVolumeMount,
  podKind,
  recoverPolicy,
  requestsRecovery,
} from './pod.ts';
import { planSidecars } from './sidecar-plan.ts';

/** The decision about a pod's creation. Messages name the volume, the container and the remedy. */
export type Admission =
  | { readonly allowed: true; readonly warnings: readonly string[] }
  | { readonly allowed: false; readonly message: string; readonly warnings: readonly string[] };

/** Decides whether a pod may be created, and with which warnings. Pure. A mutated pod gets the same decision. */
export function admit(pod: NewPod, facts: ClusterState): Admission {
  const kind = podKind(pod.pod);
  if (kind === 'other') return { allowed: true, warnings: [] };
  const datasets = datasetVolumes(pod, facts);
  const { denials, warnings } =
    kind === 'labelled' ? { denials: [], warnings: datasets.flatMap(labelledWarnings) } : planSidecars(pod, facts);
  const all = [
    ...missingClaims(pod, facts).map(
      (claim) =>
        `claim "${claim}" does not exist, so it is unknown whether it belongs to a dataset: create the pod once the Dataset is Bound`,
    ),
    ...((kind === 'labelled' && !facts.recoversSubPath) || (kind === 'serverless' && requestsRecovery(pod.pod))
      ? datasets.flatMap((dataset) => dataset.mounts.flatMap((mount) => subPathDenials(kind, mount, dataset)))
      : []),
    ...denials,
  ];
  if (all.length > 0) return { allowed: false, message: all.join('; '), warnings: [] };
  return { allowed: true, warnings };
}

function subPathDenials(
  kind: Exclude<PodKind, 'other'>,
  mount: PodVolumeMount,
  { name, claim }: DatasetVolume,
): readonly string[] {
  const subPath = findSubPath(mount);
  if (subPath === undefined) return [];
  const container = `${mount.container.kind === 'initContainers' ? 'init container' : 'container'} "${mount.container.name}"`;
  const request = kind === 'labelled' ? `label ${recoveryLabel}` : `annotation ${recoverPolicy.annotation}`;
  return [
    `${container} mounts ${subPath.field} "${truncate(subPath.path)}" of volume "${name}" (dataset ${claim}), which FUSE recovery does not support: mount the whole volume, or remove the ${request}`,
  ];
}

function labelledWarnings(dataset: DatasetVolume): readonly string[] {
  const readWrite = isReadOnly(dataset.volume) ? [] : [readWriteWarning(dataset)];
  return [...readWrite, ...dataset.mounts.flatMap((mount) => checkPropagation(mount).warning ?? [])];
}

const maxQuotedLength = 80;

/** Shortens a value for a message: fields may be 64 KB long. */
function truncate(text: string): string {
  return text.length > maxQuotedLength ? `${text.slice(0, maxQuotedLength)}...` : text;
}
