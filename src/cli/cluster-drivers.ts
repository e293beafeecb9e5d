import type { KubeConfig } from '@kubernetes/client-node';
import type { ClusterDrivers, DriverDetails, VolumeInUse } from '../profiles/draft-profile.ts';
import type { Context } from './context.ts';
import type { KubeConfigFlags } from './kube-config.ts';

/** Flags of `rekindle profile init`. */
export interface InitFlags extends KubeConfigFlags {
  readonly context: string;
  readonly driver?: string;
  readonly lookAtNode?: true;
  readonly image?: string;
}

/** What a cluster shows of its CSI drivers and of what uses them. */
export async function askCluster(kubeConfig: KubeConfig): Promise<ClusterDrivers> {
  const { AppsV1Api, CoreV1Api, StorageV1Api } = await import('@kubernetes/client-node');
  const storage = kubeConfig.makeApiClient(StorageV1Api);
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const [drivers, classes, daemonSets, pods, claims, volumes] = await Promise.all([
    storage.listCSIDriver(),
    storage.listStorageClass(),
    kubeConfig.makeApiClient(AppsV1Api).listDaemonSetForAllNamespaces(),
    core.listPodForAllNamespaces(),
    core.listPersistentVolumeClaimForAllNamespaces(),
    core.listPersistentVolume(),
  ]);
  return {
    drivers: drivers.items,
    classes: classes.items,
    daemonSets: daemonSets.items,
    pods: pods.items,
    claims: claims.items,
    volumes: volumes.items,
  };
}

interface ServerSearch {
  readonly flags: InitFlags;
  readonly driver: string;
  readonly inUse: VolumeInUse | undefined;
  readonly context: Pick<Context, 'environment' | 'runId'>;
}

/** The process that serves a volume in use; undefined if none is found, which is reported. @throws CannotRun if no pod uses the driver */
export async function lookAtNode(
  kubeConfig: KubeConfig,
  { flags, driver, inUse, context: { environment, runId } }: ServerSearch,
): Promise<DriverDetails['server']> {
  const [{ CannotRun }, { openNodeOfPod, readUserPod }, { harnessImage }] = await Promise.all([
    import('../../clusters/cluster.ts'),
    import('../../clusters/kubernetes/user-pod.ts'),
    import('../run/crash-pod.ts'),
  ]);
  if (inUse === undefined)
    throw new CannotRun([
      { what: `no running pod uses a volume of ${driver}`, remedy: 'start one, or omit --look-at-node' },
    ]);
  const { namespace = '', name = '' } = inUse.pod.metadata ?? {};
  const { signal, stderr } = environment;
  const onProgress = (line: string) => void stderr.write(`… ${line}\n`);
  const pod = await readUserPod(kubeConfig, { namespace, name });
  const mount = pod.mounts.find(({ volume }) => volume === inUse.volume);
  if (mount === undefined) return undefined;
  onProgress(`looking at ${mount.path} of pod ${namespace}/${name} on ${pod.node}`);
  const image = await harnessImage({ environment, ...(flags.image !== undefined && { image: flags.image }) });
  await using node = await openNodeOfPod({ kubeConfig, pod, runId, image, onEvent: () => {}, onProgress, signal });
  const target = { namespace, pod: name, container: mount.container };
  try {
    return await node.remote.servingDaemon(target, mount.path);
  } catch (error) {
    stderr.write(`rekindle: ${(error as Error).message}\n`);
    return undefined;
  }
}

/** The keys of the Secret of a volume, never their values; undefined if it has none, or it may not be read. */
export async function readSecretKeys(
  kubeConfig: KubeConfig,
  { cluster, driver, inUse }: Pick<ServerSearch, 'driver' | 'inUse'> & { readonly cluster: ClusterDrivers },
): Promise<readonly string[] | undefined> {
  const own = cluster.volumes.filter(({ spec }) => spec?.csi?.driver === driver);
  const sample = own.find(({ metadata }) => metadata?.name === inUse?.volume) ?? own[0];
  const { name, namespace } = sample?.spec?.csi?.nodePublishSecretRef ?? {};
  if (name === undefined || namespace === undefined) return undefined;
  const { CoreV1Api } = await import('@kubernetes/client-node');
  try {
    const { data = {} } = await kubeConfig.makeApiClient(CoreV1Api).readNamespacedSecret({ name, namespace });
    return Object.keys(data);
  } catch {
    return undefined;
  }
}
