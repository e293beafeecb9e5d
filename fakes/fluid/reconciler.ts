import type {
  KubeConfig,
  V1DaemonSet,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1Secret,
} from '@kubernetes/client-node';
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import {
  type ControllerParts,
  eventRecorder,
  type Informers,
  keyOf,
  startController,
  type WatchedKind,
} from '../controller.ts';
import { defaultImages, type FluidImages } from './dataset-objects.ts';
import {
  type DatasetKey,
  daemonSetName,
  driver,
  type FluidKind,
  type FluidObject,
  group,
  isOwn,
  pluralNames,
  standbyLabel,
  version,
  volumeName,
} from './names.ts';
import { type DatasetObject, type FluidStep, type ObservedDataset, plan } from './plan.ts';

type WatchedObjects = {
  datasets: FluidObject;
  runtimes: FluidObject;
  secrets: V1Secret;
  volumes: V1PersistentVolume;
  claims: V1PersistentVolumeClaim;
  daemonSets: V1DaemonSet;
  pods: V1Pod;
  nodes: V1Node;
};

export interface FluidOptions extends ControllerParts {
  readonly images?: FluidImages;
  /** As of `DatasetSettings`. */
  readonly mountRoot?: string | undefined;
}

/** Runs Fluid's controllers for Datasets and JindoRuntimes through the real client, until disposed of. */
export function startFluid({
  kubeConfig,
  log,
  images = defaultImages,
  mountRoot,
}: FluidOptions): Promise<AsyncDisposable> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const apps = kubeConfig.makeApiClient(AppsV1Api);
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  const apply = stepApplier(kubeConfig);
  const fluidKind = (kind: FluidKind): WatchedKind<FluidObject> => ({
    path: `/apis/${group}/${version}/${pluralNames[kind]}`,
    list: () => custom.listClusterCustomObject({ group, version, plural: pluralNames[kind] }),
  });
  return startController<WatchedObjects>({
    kubeConfig,
    kinds: {
      datasets: { ...fluidKind('Dataset'), keys: (dataset) => [keyOf(dataset)] },
      runtimes: { ...fluidKind('JindoRuntime'), keys: (runtime) => [keyOf(runtime)] },
      secrets: {
        path: '/api/v1/secrets',
        list: () => core.listSecretForAllNamespaces(),
        keys: (secret, { datasets }) => datasets.list(secret.metadata?.namespace).map(keyOf),
      },
      volumes: {
        path: '/api/v1/persistentvolumes',
        list: () => core.listPersistentVolume(),
        keys: keysForVolume,
      },
      claims: {
        path: '/api/v1/persistentvolumeclaims',
        list: () => core.listPersistentVolumeClaimForAllNamespaces(),
        keys: (claim) => [keyOf(claim)],
      },
      daemonSets: {
        path: '/apis/apps/v1/daemonsets',
        list: () => apps.listDaemonSetForAllNamespaces(),
        keys: keysForRelease,
      },
      pods: {
        path: '/api/v1/pods',
        list: () => core.listPodForAllNamespaces(),
        keys: keysForRelease,
      },
      nodes: { path: '/api/v1/nodes', list: () => core.listNode(), keys: () => [] },
    },
    async reconcile(key, informers) {
      for (const step of plan({ ...observe(informers, key), mountRoot }, images, new Date().toISOString())) {
        if ((await apply(step)) === 'outdated') return 'retry';
      }
      return 'done';
    },
    onError: ({ namespace, name }, error) => log(`dataset ${namespace}/${name}: ${formatError(error)}`),
  });
}

/** When a volume's name is taken or becomes free, that concerns every dataset whose volume would have this name. */
function keysForVolume(volume: V1PersistentVolume, { datasets }: Informers<WatchedObjects>): readonly DatasetKey[] {
  const { claimRef, csi } = volume.spec ?? {};
  const sameName = datasets
    .list()
    .map(keyOf)
    .filter((key) => volumeName(key) === volume.metadata?.name);
  return csi?.driver === driver && claimRef ? [keyOf({ metadata: claimRef }), ...sameName] : sameName;
}

function keysForRelease(object: V1DaemonSet | V1Pod): readonly DatasetKey[] {
  const release = isOwn(object) ? object.metadata?.labels?.release : undefined;
  return release === undefined ? [] : [{ namespace: object.metadata?.namespace ?? '', name: release }];
}

function observe(informers: Informers<WatchedObjects>, key: DatasetKey): ObservedDataset {
  const { namespace, name } = key;
  const secrets = informers.secrets.list(namespace);
  return {
    key,
    dataset: informers.datasets.get(name, namespace),
    runtime: informers.runtimes.get(name, namespace),
    secretKeys: new Map(secrets.map(({ metadata, data }) => [metadata?.name ?? '', new Set(Object.keys(data ?? {}))])),
    volume: informers.volumes.get(volumeName(key)),
    claim: informers.claims.get(name, namespace),
    daemonSet: informers.daemonSets.get(daemonSetName(key), namespace),
    standbyDaemonSets: informers.daemonSets
      .list(namespace)
      .filter(({ metadata }) => metadata?.labels?.[standbyLabel] === name),
    pods: informers.pods.list(namespace),
    nodes: informers.nodes.list(),
  };
}

/** Applies one step of a plan. `outdated`: another client was faster; the watch will report its change. */
export function stepApplier(kubeConfig: KubeConfig): (step: FluidStep) => Promise<'done' | 'outdated'> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const apps = kubeConfig.makeApiClient(AppsV1Api);
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  const record = eventRecorder(core, 'FluidController');

  const create = async (object: DatasetObject): Promise<void> => {
    const namespace = object.metadata?.namespace ?? '';
    switch (object.kind) {
      case 'PersistentVolume':
        await core.createPersistentVolume({ body: object as V1PersistentVolume });
        return;
      case 'PersistentVolumeClaim':
        await core.createNamespacedPersistentVolumeClaim({ namespace, body: object as V1PersistentVolumeClaim });
        return;
      case 'DaemonSet':
        await apps.createNamespacedDaemonSet({ namespace, body: object as V1DaemonSet });
        return;
      default:
        await core.createNamespacedPod({ namespace, body: object as V1Pod });
    }
  };
  const remove = async (object: DatasetObject): Promise<void> => {
    const { name = '', namespace = '', uid } = object.metadata ?? {};
    const body = uid === undefined ? {} : { preconditions: { uid } };
    // By content, because objects from a watch's first list have no kind.
    if (object.spec && 'containers' in object.spec) await core.deleteNamespacedPod({ name, namespace, body });
    else if (object.spec && 'template' in object.spec) await apps.deleteNamespacedDaemonSet({ name, namespace, body });
    else if (namespace === '') await core.deletePersistentVolume({ name, body });
    else await core.deleteNamespacedPersistentVolumeClaim({ name, namespace, body });
  };
  const setStatus = async (object: FluidObject, status: Readonly<Record<string, unknown>>): Promise<void> => {
    const { name = '', namespace = '' } = object.metadata;
    const plural = pluralNames[object.kind as FluidKind];
    const body = { ...object, status };
    await custom.replaceNamespacedCustomObjectStatus({ group, version, namespace, plural, name, body });
  };
  const apply = async (step: FluidStep): Promise<void> => {
    switch (step.do) {
      case 'create':
        return create(step.object);
      case 'update': {
        const { name = '', namespace = '' } = step.daemonSet.metadata ?? {};
        await apps.replaceNamespacedDaemonSet({ name, namespace, body: step.daemonSet });
        return;
      }
      case 'remove-label':
        await core.patchNode(
          { name: step.node, body: { metadata: { labels: { [step.label]: null } } } },
          setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
        );
        return;
      case 'delete':
        return remove(step.object);
      case 'set-status':
        await setStatus(step.object, step.status);
        for (const event of step.events) await record(event);
    }
  };
  return async (step) => {
    try {
      await apply(step);
      return 'done';
    } catch (error) {
      if (!(error instanceof ApiException)) throw error;
      if (error.code === 409) return 'outdated';
      // The object is already gone.
      if (error.code === 404 && step.do !== 'create') return 'done';
      // The watch will report that the dataset is gone, too.
      if (error.code === 403 && String(error.body).includes('NamespaceTerminating')) return 'done';
      throw error;
    }
  };
}

function formatError(error: unknown): string {
  if (error instanceof ApiException) return `${error.code} ${JSON.stringify(error.body)}`;
  return error instanceof Error ? error.message : String(error);
}
