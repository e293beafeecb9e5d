import { setTimeout as delay } from 'node:timers/promises';
import { CoreV1Api } from '@kubernetes/client-node';
import { monotonicNow } from '../../recovery/clock.ts';
import { type Fault, lasting, momentary } from './fault.ts';

export const appRestart: Fault = {
  name: 'app-restart',
  step: "the application's container crashes",
  title: "the application's own container crashes while its volume is dead",
  claims: ['L4', 'A2'],
  expected:
    'the runtime refuses to start it on a dead volume; it starts, and reads, once the daemon is back, because the target path is healed for every pod',
  isCrash: false,
  inject: async ({ cluster, application }) => momentary(await cluster.kill(application, 'SIGKILL')),
};

/** Name of the other pod of a dataset that `newPod` creates. */
export const newPodName = (pod: string) => `${pod}-new`;

export const newPod: Fault = {
  name: 'new-pod',
  step: 'another pod of the dataset is created',
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
    const at = monotonicNow();
    await api.createNamespacedPod({
      namespace,
      body: { metadata: { name, ...(metadata?.labels && { labels: metadata.labels }) }, spec: same },
    });
    return lasting(at, () => api.deleteNamespacedPod({ name, namespace }).catch(() => {})); // Its namespace may be terminating.
  },
};

/** Short, because the pod's program ends on SIGTERM. */
export const graceSeconds = 5;

export const podDeleteWhileDead: Fault = {
  name: 'pod-delete-while-dead',
  step: 'the application pod is deleted',
  title: 'the application pod is deleted while its volume is dead, racing the recovery',
  claims: ['L1'],
  expected: 'the pod is gone within its grace period and 5 s, and nothing is left of it on the node',
  isCrash: false,
  async inject({ cluster, application: { namespace, pod } }) {
    const api = cluster.kubeConfig.makeApiClient(CoreV1Api);
    const at = monotonicNow();
    await api.deleteNamespacedPod({ name: pod, namespace, gracePeriodSeconds: graceSeconds });
    return momentary(at);
  },
};

/** Spreads the deletion of some ten pods over all moments of a recovery. */
const deletionIntervalMs = 25;

export const drain: Fault = {
  name: 'drain',
  step: 'the node is drained',
  title:
    'all pods are deleted, one shortly after the other and the FUSE pod last, as a drain of the node does in the middle of a recovery',
  claims: ['L1'],
  expected: 'every application pod is gone within its grace period and 5 s, and nothing is left of them on the node',
  isCrash: false,
  async inject({ cluster, daemon: { namespace, pod } }) {
    const api = cluster.kubeConfig.makeApiClient(CoreV1Api);
    const { items } = await api.listNamespacedPod({ namespace });
    const names = items.map(({ metadata }) => metadata?.name ?? '').filter((name) => name !== pod);
    const at = monotonicNow();
    const deletions: Promise<unknown>[] = [];
    for (const name of [...names, pod]) {
      deletions.push(api.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: graceSeconds }));
      await delay(deletionIntervalMs);
    }
    await Promise.all(deletions);
    return momentary(at);
  },
};
