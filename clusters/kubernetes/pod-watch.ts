import { CoreV1Api, type KubeConfig, makeInformer, type V1ContainerStatus, type V1Pod } from '@kubernetes/client-node';
import { monotonicNow } from '../../recovery/clock.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import type { ClusterEvent } from '../cluster.ts';

export interface PodWatchOptions {
  readonly kubeConfig: KubeConfig;
  /** Pods of other namespaces cause no events. */
  readonly namespacePrefix: string;
  readonly onEvent: (event: ClusterEvent) => void;
}

/** Knows the node of each pod, and reports what kubelets do, as far as the API server shows it. */
export interface PodWatch extends AsyncDisposable {
  nodeOf(namespace: string, pod: string): string | undefined;
}

export async function watchPods({ kubeConfig, namespacePrefix, onEvent }: PodWatchOptions): Promise<PodWatch> {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const informer = makeInformer(kubeConfig, '/api/v1/pods', () => api.listPodForAllNamespaces());
  const known = new Map<string, V1Pod>();
  const keyOf = ({ metadata }: V1Pod) => `${metadata?.namespace}/${metadata?.name}`;
  const update = (pod: V1Pod | undefined, key: string): void => {
    const before = known.get(key);
    if (pod) known.set(key, pod);
    else known.delete(key);
    if (!key.startsWith(namespacePrefix)) return;
    const at = monotonicNow();
    for (const event of kubeletEvents(before, pod)) onEvent({ ...event, at });
  };
  let disposed = false;
  informer.on('add', (pod) => update(pod, keyOf(pod)));
  informer.on('update', (pod) => update(pod, keyOf(pod)));
  informer.on('delete', (pod) => update(undefined, keyOf(pod)));
  informer.on('error', () => {
    if (!disposed) setTimeout(() => void informer.start(), 200).unref();
  });
  await informer.start();
  return {
    nodeOf: (namespace, pod) => known.get(`${namespace}/${pod}`)?.spec?.nodeName,
    async [Symbol.asyncDispose]() {
      disposed = true;
      await informer.stop();
    },
  };
}

type PodEvent = Extract<HistoryEvent, { kind: 'kubelet' }>;

/**
 * What a kubelet did, from a pod's status before and after. Undefined means that the pod does not exist. Restarts of containers
 * are not reported here, because their node reports them sooner.
 */
export function kubeletEvents(before: V1Pod | undefined, after: V1Pod | undefined): Omit<PodEvent, 'at'>[] {
  const { metadata } = after ?? before ?? {};
  const pod = `${metadata?.namespace}/${metadata?.name}`;
  // Another pod of the same name can replace it between two observations.
  const gone = before !== undefined && before.metadata?.uid !== after?.metadata?.uid;
  const earlier = gone ? undefined : before;
  return [
    ...(gone ? [{ kind: 'kubelet', event: 'pod-removed', pod } as const] : []),
    ...(after?.status?.phase === 'Running' && earlier?.status?.phase !== 'Running'
      ? [{ kind: 'kubelet', event: 'pod-started', pod } as const]
      : []),
    ...containerStatuses(after).flatMap((status) => {
      const delayMs = backOffMs(status);
      const same = containerStatuses(earlier).find(({ name }) => name === status.name);
      const isKnown = same?.restartCount === status.restartCount && backOffMs(same) !== undefined;
      if (delayMs === undefined || isKnown) return [];
      const { name: container, restartCount } = status;
      const delayNs = delayMs * 1e6;
      return [{ kind: 'kubelet', event: 'restart-scheduled', pod, container, delayNs, restartCount } as const];
    }),
  ];
}

function containerStatuses(pod: V1Pod | undefined): readonly V1ContainerStatus[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {};
  return [...initContainerStatuses, ...containerStatuses];
}

/** Parses `back-off 1m20s restarting failed container=...` to milliseconds. */
function backOffMs({ state }: V1ContainerStatus): number | undefined {
  const { reason, message = '' } = state?.waiting ?? {};
  const [, minutes, seconds] = /^back-off (?:(\d+)m)?(?:(\d+)s)? restarting/.exec(message) ?? [];
  if (reason !== 'CrashLoopBackOff' || (minutes ?? seconds) === undefined) return undefined;
  return (Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1000;
}
