import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';

/** What the volume controller has to write: merge patches of spec and status. */
export interface Binding {
  /** `spec.volumeName` of the claim, where it has none yet. */
  readonly volumeName?: string;
  readonly claimStatus?: Readonly<Record<string, unknown>>;
  readonly volumeStatus?: Readonly<Record<string, unknown>>;
}

/** Binds a claim to the volume that names it: both become Bound. Empty where nothing is to be done. */
export function bindVolume(claim: V1PersistentVolumeClaim, volumes: readonly V1PersistentVolume[]): Binding {
  const { namespace, name, deletionTimestamp } = claim.metadata ?? {};
  const wanted = claim.spec?.volumeName;
  const volume = volumes.find(
    ({ metadata, spec }) =>
      spec?.claimRef?.namespace === namespace &&
      spec?.claimRef?.name === name &&
      (wanted === undefined || wanted === metadata?.name),
  );
  if (deletionTimestamp !== undefined || !volume?.metadata?.name || volume.metadata.deletionTimestamp !== undefined) {
    return {};
  }
  const { accessModes, capacity } = volume.spec ?? {};
  return {
    ...(wanted === undefined ? { volumeName: volume.metadata.name } : {}),
    ...(claim.status?.phase === 'Bound' ? {} : { claimStatus: { phase: 'Bound', accessModes, capacity } }),
    ...(volume.status?.phase === 'Bound' ? {} : { volumeStatus: { phase: 'Bound' } }),
  };
}
