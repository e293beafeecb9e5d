import type { Volume } from '../engine/model.ts';
import type { UncheckedObject } from '../kubernetes/json.ts';
import type { Claim } from '../kubernetes/mapping.ts';
import { claimsByVolume, type NewPod, type PodVolumeMount, volumeMounts } from './pod.ts';

/** The part of the cluster's state that a pod is judged by. */
export interface ClusterState {
  /** Bound claims, keyed by `namespace/name`. */
  readonly claims: ReadonlyMap<string, Claim>;
  /** The driver's PersistentVolumes, keyed by name. */
  readonly volumes: ReadonlyMap<string, Volume>;
  /** FUSE daemons, keyed by `namespace/name` of their dataset. */
  readonly daemons: ReadonlyMap<string, DaemonTemplate>;
  /** All existing claims, bound or not, as `namespace/name`. */
  readonly existingClaims: ReadonlySet<string>;
  /** Whether init containers may have `restartPolicy: Always` (Kubernetes 1.29): they run beside the others, and a Job does not wait for them. */
  readonly hasNativeSidecars: boolean;
  /** The Pod Security level that the pod's namespace enforces, from its label; undefined if it has none. */
  readonly podSecurity: string | undefined;
  /** Set if the agents recover mounts of a directory of a dataset (`--sub-path=recover`). */
  readonly recoversSubPath?: boolean;
}

/** The FUSE container of a dataset's DaemonSet, and the volumes of that DaemonSet's pods. */
export interface DaemonTemplate {
  readonly container: UncheckedObject;
  readonly volumes: readonly UncheckedObject[];
  /** Secrets with which the image is pulled. They are in the namespace of the dataset, which is that of the pod. */
  readonly imagePullSecrets: readonly UncheckedObject[];
}

/** A pod's volume that mounts a dataset. */
export interface DatasetVolume {
  /** Name of the pod's volume. */
  readonly name: string;
  /** Name of the claim, which is also the name of the dataset. */
  readonly claim: string;
  readonly volume: Volume;
  /** `persistentVolumeClaim.readOnly` */
  readonly readOnly: boolean;
  readonly mounts: readonly PodVolumeMount[];
}

/** The pod's volumes that mount datasets, in the order of its spec. */
export function datasetVolumes(
  { namespace, pod }: NewPod,
  { claims, volumes }: ClusterState,
): readonly DatasetVolume[] {
  return [...claimsByVolume(pod)].flatMap(([name, { claim, readOnly }]) => {
    const volume = volumes.get(claims.get(`${namespace}/${claim}`)?.volume ?? '');
    // A claim may name any volume. It is bound to the volume only if the volume names the claim in turn.
    const isBound = volume?.dataset?.name === claim && volume.dataset.namespace === namespace;
    if (volume === undefined || !isBound) return [];
    return [{ name, claim, volume, readOnly, mounts: volumeMounts(pod, name) }];
  });
}

/** The pod's claims that do not exist yet, so that it is unknown whether they will be datasets. */
export function missingClaims({ namespace, pod }: NewPod, { existingClaims }: ClusterState): readonly string[] {
  return [...claimsByVolume(pod).values()]
    .map(({ claim }) => claim)
    .filter((claim) => !existingClaims.has(`${namespace}/${claim}`));
}

export function readWriteWarning({ name, claim, volume }: DatasetVolume): string {
  const modes = volume.accessModes.join(', ') || 'no access mode';
  return `dataset ${claim} is not read-only (${modes}), so volume "${name}" is not recovered after a crash of its FUSE daemon: set spec.accessModes of the Dataset to ReadOnlyMany only`;
}
