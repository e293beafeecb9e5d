import { CoreV1Api, type CoreV1Event, type KubeConfig, makeInformer } from '@kubernetes/client-node';
import type { HistoryEvent } from '../src/timeline/record.ts';

/**
 * Reports Kubernetes events as they arrive. The arrival is the time: an event's own stamp has a grain of one second, and
 * its count tells a repetition from a delivery.
 */
export async function watchKubernetesEvents(
  kubeConfig: KubeConfig,
  onEvent: (event: HistoryEvent) => void,
): Promise<AsyncDisposable> {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const informer = makeInformer(kubeConfig, '/api/v1/events', () => api.listEventForAllNamespaces());
  let listed = false;
  const report = ({ involvedObject, type = '', reason = '', message = '', count = 1 }: CoreV1Event): void => {
    // What happened before anybody watched, in a cluster that was there before.
    if (!listed) return;
    const { kind = '', namespace = '', name = '' } = involvedObject;
    const object = `${kind} ${namespace}/${name}`;
    onEvent({ kind: 'event', at: Number(process.hrtime.bigint()), type, reason, message, object, count });
  };
  let over = false;
  informer.on('add', report);
  informer.on('update', report);
  informer.on('error', () => {
    if (!over) setTimeout(() => void informer.start(), 200).unref();
  });
  await informer.start();
  listed = true;
  return {
    async [Symbol.asyncDispose]() {
      over = true;
      await informer.stop();
    },
  };
}
