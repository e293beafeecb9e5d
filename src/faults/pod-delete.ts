import { setTimeout as delay } from 'node:timers/promises';
import { CoreV1Api } from '@kubernetes/client-node';
import { type Fault, now, over } from './fault.ts';

export const podDelete: Fault = {
  name: 'pod-delete',
  title: 'the FUSE pod is deleted, and its controller makes another one',
  claims: ['C3', 'L4'],
  expected: 'the pod sees errors, then its files from the new FUSE pod, and is not restarted',
  isCrash: true,
  async inject({ cluster, daemon: { namespace, pod } }) {
    const api = cluster.kubeConfig.makeApiClient(CoreV1Api);
    const at = now();
    await api.deleteNamespacedPod({ name: pod, namespace, gracePeriodSeconds: 1 });
    return over(at);
  },
};

/** Short, because the pod's program ends on SIGTERM; in seconds. */
export const graceSeconds = 5;

export const podDeleteWhileDead: Fault = {
  name: 'pod-delete-while-dead',
  title: 'the application pod is deleted while its volume is dead, racing the recovery',
  claims: ['L1'],
  expected: 'the pod is gone within its grace and 5 s, and nothing of it is left on the node',
  isCrash: false,
  async inject({ cluster, application: { namespace, pod } }) {
    const api = cluster.kubeConfig.makeApiClient(CoreV1Api);
    const at = now();
    await api.deleteNamespacedPod({ name: pod, namespace, gracePeriodSeconds: graceSeconds });
    return over(at);
  },
};

/** So far apart, in milliseconds, that the deletions of some ten pods meet each moment of a recovery. */
const apart = 25;

export const drain: Fault = {
  name: 'drain',
  title:
    'all pods are deleted, one shortly after the other and the FUSE pod last, as a drain of the node does in the middle of a recovery',
  claims: ['L1'],
  expected: 'every application pod is gone within its grace and 5 s, and nothing of them is left on the node',
  isCrash: false,
  async inject({ cluster, daemon: { namespace, pod } }) {
    const api = cluster.kubeConfig.makeApiClient(CoreV1Api);
    const { items } = await api.listNamespacedPod({ namespace });
    const names = items.map(({ metadata }) => metadata?.name ?? '').filter((name) => name !== pod);
    const at = now();
    const deletions: Promise<unknown>[] = [];
    for (const name of [...names, pod]) {
      deletions.push(api.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: graceSeconds }));
      await delay(apart);
    }
    await Promise.all(deletions);
    return over(at);
  },
};
