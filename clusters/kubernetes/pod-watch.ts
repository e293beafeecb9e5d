import { CoreV1Api, type KubeConfig, makeInformer, type V1Pod } from '@kubernetes/client-node';
import type { ClusterEvent } from '../cluster.ts';
import { kubeletEvents } from './kubelet-events.ts';

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
