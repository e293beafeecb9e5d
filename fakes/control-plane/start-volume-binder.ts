import type { KubeConfig, V1PersistentVolume, V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { CoreV1Api, PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import { startKeyQueue } from '../fluid/key-queue.ts';
import type { Watched } from '../fluid/watched.ts';
import { startWatched } from '../fluid/watched.ts';
import { bindVolume } from './bind-volume.ts';

interface BinderCaches {
  readonly claims: Watched<V1PersistentVolumeClaim>;
  readonly volumes: Watched<V1PersistentVolume>;
}

/** Stands in for the volume controller of kube-controller-manager: binds claims to volumes that name them. Until disposed of. */
export async function startVolumeBinder({
  kubeConfig,
  log,
}: {
  readonly kubeConfig: KubeConfig;
  readonly log: (line: string) => void;
}): Promise<AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  let caches: BinderCaches | undefined;

  const bind = async (key: string): Promise<'done'> => {
    const [namespace = '', name = ''] = key.split('/');
    const claim = caches?.claims.get(name, namespace);
    if (!caches || !claim) return 'done';
    const { volumeName, claimStatus, volumeStatus } = bindVolume(claim, caches.volumes.list());
    const volume = volumeName ?? claim.spec?.volumeName ?? '';
    // The claim comes last: once it is Bound, pods may be scheduled.
    if (volumeStatus) await core.patchPersistentVolumeStatus({ name: volume, body: { status: volumeStatus } }, merge);
    if (volumeName !== undefined) {
      await core.patchNamespacedPersistentVolumeClaim({ name, namespace, body: { spec: { volumeName } } }, merge);
    }
    if (claimStatus) {
      await core.patchNamespacedPersistentVolumeClaimStatus({ name, namespace, body: { status: claimStatus } }, merge);
    }
    return 'done';
  };
  const queue = startKeyQueue(bind, (key, error) => log(`claim ${key}: ${String(error)}`));
  const add = ({ metadata }: V1PersistentVolumeClaim): void => queue.add(`${metadata?.namespace}/${metadata?.name}`);
  const [claims, volumes] = await Promise.all([
    startWatched<V1PersistentVolumeClaim>({
      kubeConfig,
      path: '/api/v1/persistentvolumeclaims',
      list: () => core.listPersistentVolumeClaimForAllNamespaces(),
      changed: add,
    }).then((watched) => starting.use(watched)),
    startWatched<V1PersistentVolume>({
      kubeConfig,
      path: '/api/v1/persistentvolumes',
      list: () => core.listPersistentVolume(),
      changed: () => caches?.claims.list().forEach(add),
    }).then((watched) => starting.use(watched)),
  ]);
  starting.use(queue);
  caches = { claims, volumes };
  claims.list().forEach(add);
  const kept = starting.move();
  return { [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
