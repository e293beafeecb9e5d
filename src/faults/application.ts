import { CoreV1Api } from '@kubernetes/client-node';
import { type Fault, now, over, until } from './fault.ts';

export const appRestart: Fault = {
  name: 'app-restart',
  title: "the application's own container crashes while its volume is dead",
  claims: ['L4', 'A2'],
  expected:
    'the runtime refuses to start it on a dead volume; it starts, and reads, once the daemon is back, because the target path is healed for every pod',
  isCrash: false,
  inject: async ({ cluster, application }) => over(await cluster.kill(application, 'SIGKILL')),
};

/** The name of the pod that comes, made of that of the one that is there. */
export const newPodName = (pod: string) => `${pod}-new`;

export const newPod: Fault = {
  name: 'new-pod',
  title: 'another pod of the dataset is started on the node while the daemon is down',
  claims: ['L4'],
  expected: 'its volume is not published before the daemon is back, and never as an empty directory; then it reads',
  isCrash: false,
  async inject({ cluster, application: { namespace, pod } }) {
    const api = cluster.kubeConfig.makeApiClient(CoreV1Api);
    const { metadata, spec } = await api.readNamespacedPod({ name: pod, namespace });
    if (!spec) throw new Error(`pod ${pod} has no spec`);
    const { nodeName: _, ...same } = spec;
    const name = newPodName(pod);
    const at = now();
    await api.createNamespacedPod({
      namespace,
      body: { metadata: { name, ...(metadata?.labels && { labels: metadata.labels }) }, spec: same },
    });
    return until(at, () => api.deleteNamespacedPod({ name, namespace }).catch(() => {})); // Its namespace may be going.
  },
};
