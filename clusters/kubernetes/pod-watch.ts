import { CoreV1Api, type KubeConfig, makeInformer, type V1ContainerStatus, type V1Pod } from '@kubernetes/client-node';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import type { ClusterEvent } from '../cluster.ts';

export interface PodWatchOptions {
  readonly kubeConfig: KubeConfig;
  /** Of the namespaces whose pods count. */
  readonly namespacePrefix: string;
  readonly onEvent: (event: ClusterEvent) => void;
}

/** Knows on which node each pod is, and reports what the API server says of what kubelets do. */
export interface PodWatch extends AsyncDisposable {
  nodeOf(namespace: string, pod: string): string | undefined;
}

export async function watchPods({ kubeConfig, namespacePrefix, onEvent }: PodWatchOptions): Promise<PodWatch> {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const informer = makeInformer(kubeConfig, '/api/v1/pods', () => api.listPodForAllNamespaces());
  const known = new Map<string, V1Pod>();
  const keyOf = ({ metadata }: V1Pod) => `${metadata?.namespace}/${metadata?.name}`;
  const take = (pod: V1Pod | undefined, key: string): void => {
    const before = known.get(key);
    if (pod) known.set(key, pod);
    else known.delete(key);
    if (!key.startsWith(namespacePrefix)) return;
    const at = Number(process.hrtime.bigint());
    for (const event of kubeletEvents(before, pod)) onEvent({ ...event, at });
  };
  let over = false;
  informer.on('add', (pod) => take(pod, keyOf(pod)));
  informer.on('update', (pod) => take(pod, keyOf(pod)));
  informer.on('delete', (pod) => take(undefined, keyOf(pod)));
  informer.on('error', () => {
    if (!over) setTimeout(() => void informer.start(), 200).unref();
  });
  await informer.start();
  return {
    nodeOf: (namespace, pod) => known.get(`${namespace}/${pod}`)?.spec?.nodeName,
    async [Symbol.asyncDispose]() {
      over = true;
      await informer.stop();
    },
  };
}

type KubeletEvent = Extract<HistoryEvent, { kind: 'kubelet' }>;

/**
 * What a kubelet has done, by what it says of a pod before and after; undefined where the pod is not there. That a container
 * was started again is not among it, because its node tells sooner.
 */
export function kubeletEvents(before: V1Pod | undefined, after: V1Pod | undefined): Omit<KubeletEvent, 'at'>[] {
  const { metadata } = after ?? before ?? {};
  const pod = `${metadata?.namespace}/${metadata?.name}`;
  // One of the same name can take its place between two looks.
  const gone = before !== undefined && before.metadata?.uid !== after?.metadata?.uid;
  const earlier = gone ? undefined : before;
  return [
    ...(gone ? [{ kind: 'kubelet', event: 'pod-removed', pod } as const] : []),
    ...(after?.status?.phase === 'Running' && earlier?.status?.phase !== 'Running'
      ? [{ kind: 'kubelet', event: 'pod-started', pod } as const]
      : []),
    ...statusesOf(after).flatMap((status) => {
      const delayMs = backOffOf(status);
      const same = statusesOf(earlier).find(({ name }) => name === status.name);
      const isKnown = same?.restartCount === status.restartCount && backOffOf(same) !== undefined;
      if (delayMs === undefined || isKnown) return [];
      const { name: container, restartCount } = status;
      const delayNs = delayMs * 1e6;
      return [{ kind: 'kubelet', event: 'restart-scheduled', pod, container, delayNs, restartCount } as const];
    }),
  ];
}

function statusesOf(pod: V1Pod | undefined): readonly V1ContainerStatus[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {};
  return [...initContainerStatuses, ...containerStatuses];
}

/** Milliseconds, of `back-off 1m20s restarting failed container=...`. */
function backOffOf({ state }: V1ContainerStatus): number | undefined {
  const { reason, message = '' } = state?.waiting ?? {};
  const [, minutes, seconds] = /^back-off (?:(\d+)m)?(?:(\d+)s)? restarting/.exec(message) ?? [];
  if (reason !== 'CrashLoopBackOff' || (minutes ?? seconds) === undefined) return undefined;
  return (Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1000;
}
