import { CoreV1Api, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { openApi } from '../../recovery/deploy/api.ts';
import { names } from '../../recovery/deploy/options.ts';
import { waitReady } from '../../recovery/deploy/wait-ready.ts';
import { CannotRun, type ClusterEvent, type ContainerRef } from '../cluster.ts';
import { explain } from './explain.ts';
import { type NodeLink, openNodeLink } from './node-link.ts';
import { nodeProgramDaemonSet, nodeProgramPods } from './node-program/daemon-set.ts';
import { removeRuns } from './remove-run.ts';
import { runLabel, runNamespace } from './run-objects.ts';

/** Where a container of a pod mounts one of its volumes. */
export interface PodMount {
  readonly container: string;
  readonly path: string;
  /** Name of the PersistentVolume, or of the pod's inline volume. */
  readonly volume: string;
  /** Nobody may write through it, by the claim or by the pod. */
  readonly readOnly: boolean;
}

/** A running pod that a user named. */
export interface UserPod {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  /** Mounts of claims and of inline CSI volumes, in the order of the pod's spec; at least one. */
  readonly mounts: readonly PodMount[];
  /** Names of the other pods of its namespace and node that use one of its claims. */
  readonly sharers: readonly string[];
}

type PodName = Pick<UserPod, 'namespace' | 'name'>;

/** @throws CannotRun if it does not exist, does not run, or uses no volume that a CSI driver could serve by FUSE */
export async function readUserPod(kubeConfig: KubeConfig, { namespace, name }: PodName): Promise<UserPod> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const title = `pod ${namespace}/${name}`;
  const pod = await core.readNamespacedPod({ namespace, name }).catch((error: { readonly code?: number }) => {
    if (error.code === 404) throw cannot(`there is no ${title}`, 'kubectl get pods lists those that are there');
    throw error;
  });
  const node = pod.spec?.nodeName;
  if (node === undefined || pod.status?.phase !== 'Running' || pod.metadata?.deletionTimestamp !== undefined)
    throw cannot(`${title} does not run (${pod.status?.phase ?? 'unknown'})`, 'name one that runs');
  const claims = claimsOf(pod);
  const volumes = new Map<string, Pick<PodMount, 'volume' | 'readOnly'>>();
  for (const { name: volume, persistentVolumeClaim: claim, csi } of pod.spec?.volumes ?? []) {
    if (csi) volumes.set(volume, { volume, readOnly: csi.readOnly === true });
    if (!claim) continue;
    const { spec } = await core.readNamespacedPersistentVolumeClaim({ namespace, name: claim.claimName });
    const isForReading = spec?.accessModes?.every((mode) => mode === 'ReadOnlyMany') === true;
    volumes.set(volume, { volume: spec?.volumeName ?? '', readOnly: claim.readOnly === true || isForReading });
  }
  const mounts = (pod.spec?.containers ?? []).flatMap(({ name: container, volumeMounts = [] }) =>
    volumeMounts.flatMap(({ name: volume, mountPath, readOnly = false }) => {
      const source = volumes.get(volume);
      const path = mountPath.replace(/(.)\/+$/, '$1');
      return source ? [{ container, path, ...source, readOnly: readOnly || source.readOnly }] : [];
    }),
  );
  if (mounts.length === 0)
    throw cannot(`${title} mounts neither a claim nor an inline CSI volume`, 'name a pod with a FUSE volume');
  const { items } = await core.listNamespacedPod({ namespace, fieldSelector: `spec.nodeName=${node}` });
  const sharers = items
    .filter((other) => other.metadata?.name !== name && claimsOf(other).some((claim) => claims.includes(claim)))
    .flatMap(({ metadata }) => metadata?.name ?? []);
  return { namespace, name, node, mounts, sharers };
}

function claimsOf({ spec }: V1Pod): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => claim?.claimName ?? []);
}

const cannot = (what: string, remedy: string) => new CannotRun([{ what, remedy }]);

export interface NodeOfPodOptions {
  readonly kubeConfig: KubeConfig;
  readonly pod: UserPod;
  readonly runId: string;
  /** The harness image, which the node has or can pull. */
  readonly image: string;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The node program beside a user's pod. Disposing of it removes it from the cluster. */
export interface NodeOfPod extends AsyncDisposable, Pick<NodeLink, 'facts' | 'toOurClock' | 'remote'> {}

const readyTimeoutMs = 90_000;

/** Runs the node program on the pod's node, and nowhere else. Nothing of what containers print leaves the node. @throws CannotRun */
export async function openNodeOfPod(options: NodeOfPodOptions): Promise<NodeOfPod> {
  const { kubeConfig, pod, runId, image, onEvent, onProgress, signal } = options;
  await using life = new AsyncDisposableStack();
  const api = openApi(kubeConfig);
  const labels = { [runLabel]: runId };
  const namespace = runNamespace(runId);
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { ...labels, 'pod-security.kubernetes.io/enforce': 'privileged' } },
    },
    nodeProgramDaemonSet({ runId, namespace, image, labels, node: pod.node }),
  ];
  life.defer(async () => {
    const limit = AbortSignal.timeout(120_000);
    await removeRuns({ kubeConfig, which: (id) => id === runId, onProgress, signal: limit });
  });
  try {
    for (const object of objects) await api.apply(object, { dryRun: false });
    await waitReady({ api, objects, timeoutMs: readyTimeoutMs, onProgress, signal });
  } catch (error) {
    throw explain(error, kubeConfig.getCurrentCluster()?.server ?? 'the API server');
  }
  const link = life.use(
    await openNodeLink({
      kubeConfig,
      pod: await nodeProgramOn(kubeConfig, namespace),
      session: {
        runId,
        namespacePrefix: pod.namespace,
        agent: { namespace: names.namespace, podPrefix: `${names.agent}-`, container: names.agentContainer },
        // No dataset is created.
        store: { endpoint: 'http://localhost', bucket: '', accessKeyId: '', accessKeySecret: '' },
        sendsLogs: false,
        holds: '',
        fakeDaemon: false,
        confirmsMounts: false,
      },
      onEvent,
      onLog: () => {},
    }),
  );
  const all = life.move();
  return { ...link, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function nodeProgramOn(kubeConfig: KubeConfig, runs: string): Promise<ContainerRef> {
  const { namespace, labelSelector, container } = nodeProgramPods(runs);
  const { items } = await kubeConfig.makeApiClient(CoreV1Api).listNamespacedPod({ namespace, labelSelector });
  return { namespace, pod: items[0]?.metadata?.name ?? '', container };
}
