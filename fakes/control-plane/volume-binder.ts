import type { V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { CoreV1Api, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { type ControllerParts, coreKinds, keyOf, startController } from '../controller.ts';

/** Merge patches that the volume controller must send; empty if nothing is left to do. */
export interface Binding {
  /** For `spec.volumeName` of a claim that has none yet. */
  readonly volumeName?: string;
  readonly claimStatus?: Readonly<Record<string, unknown>>;
  readonly volumeStatus?: Readonly<Record<string, unknown>>;
}

/** Binds a claim and the volume that names it to each other. */
export function bindVolume(claim: V1PersistentVolumeClaim, volumes: readonly V1PersistentVolume[]): Binding {
  const { namespace, name, deletionTimestamp } = claim.metadata ?? {};
  const requested = claim.spec?.volumeName;
  const volume = volumes.find(
    ({ metadata, spec }) =>
      spec?.claimRef?.namespace === namespace &&
      spec?.claimRef?.name === name &&
      (requested === undefined || requested === metadata?.name),
  );
  if (deletionTimestamp !== undefined || !volume?.metadata?.name || volume.metadata.deletionTimestamp !== undefined) {
    return {};
  }
  const { accessModes, capacity } = volume.spec ?? {};
  return {
    ...(requested === undefined ? { volumeName: volume.metadata.name } : {}),
    ...(claim.status?.phase === 'Bound' ? {} : { claimStatus: { phase: 'Bound', accessModes, capacity } }),
    ...(volume.status?.phase === 'Bound' ? {} : { volumeStatus: { phase: 'Bound' } }),
  };
}

/** Stands in for the volume controller of kube-controller-manager: binds claims to volumes that name them, until disposed of. */
export function startVolumeBinder({ kubeConfig, log }: ControllerParts): Promise<AsyncDisposable> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const { claims, volumes } = coreKinds(core);
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  return startController<{ claims: V1PersistentVolumeClaim; volumes: V1PersistentVolume }>({
    kubeConfig,
    kinds: {
      claims: {
        ...claims,
        keys: (claim) => [keyOf(claim)],
      },
      volumes: {
        ...volumes,
        keys: (_volume, { claims }) => claims.list().map(keyOf),
      },
    },
    async reconcile({ namespace, name }, { claims, volumes }) {
      const claim = claims.get(name, namespace);
      if (!claim) return 'done';
      const { volumeName, claimStatus, volumeStatus } = bindVolume(claim, volumes.list());
      const volume = volumeName ?? claim.spec?.volumeName ?? '';
      // The claim's status comes last: pods may be scheduled as soon as it is Bound.
      if (volumeStatus) await core.patchPersistentVolumeStatus({ name: volume, body: { status: volumeStatus } }, merge);
      if (volumeName !== undefined) {
        await core.patchNamespacedPersistentVolumeClaim({ name, namespace, body: { spec: { volumeName } } }, merge);
      }
      if (claimStatus) {
        const body = { status: claimStatus };
        await core.patchNamespacedPersistentVolumeClaimStatus({ name, namespace, body }, merge);
      }
      return 'done';
    },
    onError: ({ namespace, name }, error) => log(`claim ${namespace}/${name}: ${String(error)}`),
  });
}
