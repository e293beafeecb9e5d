import { CoreV1Api, type CoreV1Event, type KubeConfig, makeInformer } from '@kubernetes/client-node';
import { monotonicNow } from '../recovery/clock.ts';
import type { HistoryEvent } from '../src/timeline/record.ts';

/**
 * Reports Kubernetes events at the time of their arrival, because an event's own time stamp has a resolution of one second. Its count
 * distinguishes a repetition from a repeated delivery.
 */
export async function watchKubernetesEvents(
  kubeConfig: KubeConfig,
  onEvent: (event: HistoryEvent) => void,
): Promise<AsyncDisposable> {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const informer = makeInformer(kubeConfig, '/api/v1/events', () => api.listEventForAllNamespaces());
  let listed = false;
  const report = ({ involvedObject, type = '', reason = '', message = '', count = 1 }: CoreV1Event): void => {
    // An existing cluster has events from before the run.
    if (!listed) return;
    const { kind = '', namespace = '', name = '' } = involvedObject;
    const object = `${kind} ${namespace}/${name}`;
    onEvent({ kind: 'event', at: monotonicNow(), type, reason, message, object, count });
  };
  let disposed = false;
  informer.on('add', report);
  informer.on('update', report);
  informer.on('error', () => {
    if (!disposed) setTimeout(() => void informer.start(), 200).unref();
  });
  await informer.start();
  listed = true;
  return {
    async [Symbol.asyncDispose]() {
      disposed = true;
      await informer.stop();
    },
  };
}
