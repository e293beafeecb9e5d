import type {
  KubeConfig,
  KubernetesListObject,
  V1DaemonSet,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1Secret,
} from '@kubernetes/client-node';
import { AppsV1Api, CoreV1Api, CustomObjectsApi } from '@kubernetes/client-node';
import type { FluidKind, FluidObject } from './custom-objects.ts';
import { group, pluralOf, version } from './custom-objects.ts';
import type { Watched } from './watched.ts';
import { startWatched } from './watched.ts';

/** What the cluster holds of each kind that matters here, from watches. */
export interface Caches {
  readonly datasets: Watched<FluidObject>;
  readonly runtimes: Watched<FluidObject>;
  readonly secrets: Watched<V1Secret>;
  readonly volumes: Watched<V1PersistentVolume>;
  readonly claims: Watched<V1PersistentVolumeClaim>;
  readonly daemonSets: Watched<V1DaemonSet>;
  readonly pods: Watched<V1Pod>;
}

/** An object of one of the caches, with the name of its cache. */
export type Changed =
  | { readonly in: 'datasets' | 'runtimes'; readonly object: FluidObject }
  | { readonly in: 'secrets'; readonly object: V1Secret }
  | { readonly in: 'volumes'; readonly object: V1PersistentVolume }
  | { readonly in: 'claims'; readonly object: V1PersistentVolumeClaim }
  | { readonly in: 'daemonSets'; readonly object: V1DaemonSet }
  | { readonly in: 'pods'; readonly object: V1Pod };

/** Starts all watches; resolves when each has its first list. Changes before that are told, too. */
export async function startCaches(
  kubeConfig: KubeConfig,
  changed: (change: Changed) => void,
): Promise<Caches & AsyncDisposable> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const apps = kubeConfig.makeApiClient(AppsV1Api);
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  await using starting = new AsyncDisposableStack();
  const fluid = async (kind: FluidKind, at: 'datasets' | 'runtimes') => {
    const plural = pluralOf[kind];
    const list = (): Promise<KubernetesListObject<FluidObject>> =>
      custom.listClusterCustomObject({ group, version, plural });
    const path = `/apis/${group}/${version}/${plural}`;
    return starting.use(
      await startWatched<FluidObject>({ kubeConfig, path, list, changed: (object) => changed({ in: at, object }) }),
    );
  };
  const [datasets, runtimes, secrets, volumes, claims, daemonSets, pods] = await Promise.all([
    fluid('Dataset', 'datasets'),
    fluid('JindoRuntime', 'runtimes'),
    startWatched<V1Secret>({
      kubeConfig,
      path: '/api/v1/secrets',
      list: () => core.listSecretForAllNamespaces(),
      changed: (object) => changed({ in: 'secrets', object }),
    }).then((watched) => starting.use(watched)),
    startWatched<V1PersistentVolume>({
      kubeConfig,
      path: '/api/v1/persistentvolumes',
      list: () => core.listPersistentVolume(),
      changed: (object) => changed({ in: 'volumes', object }),
    }).then((watched) => starting.use(watched)),
    startWatched<V1PersistentVolumeClaim>({
      kubeConfig,
      path: '/api/v1/persistentvolumeclaims',
      list: () => core.listPersistentVolumeClaimForAllNamespaces(),
      changed: (object) => changed({ in: 'claims', object }),
    }).then((watched) => starting.use(watched)),
    startWatched<V1DaemonSet>({
      kubeConfig,
      path: '/apis/apps/v1/daemonsets',
      list: () => apps.listDaemonSetForAllNamespaces(),
      changed: (object) => changed({ in: 'daemonSets', object }),
    }).then((watched) => starting.use(watched)),
    startWatched<V1Pod>({
      kubeConfig,
      path: '/api/v1/pods',
      list: () => core.listPodForAllNamespaces(),
      changed: (object) => changed({ in: 'pods', object }),
    }).then((watched) => starting.use(watched)),
  ]);
  const started = starting.move();
  return {
    datasets,
    runtimes,
    secrets,
    volumes,
    claims,
    daemonSets,
    pods,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
