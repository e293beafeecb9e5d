import { setTimeout as delay } from 'node:timers/promises';
import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import type { NodeLink } from './node-link.ts';

export interface ReleaseOptions {
  readonly kubeConfig: KubeConfig;
  readonly nodes: readonly NodeLink[];
  readonly namespace: string;
}

const patienceMs = 120_000;
const everyMs = 100;
const graceSeconds = 2;

/** Deletes a namespace and waits until nothing of it is left, in the API and on nodes; what is left after that is the result. */
export async function release({ kubeConfig, nodes, namespace }: ReleaseOptions): Promise<readonly string[]> {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  await api.deleteNamespace({ name: namespace }).catch(unlessGone);
  // Sooner than the namespace's own controller would, which grants each pod the grace that it asks for.
  await api.deleteCollectionNamespacedPod({ namespace, gracePeriodSeconds: graceSeconds }).catch(unlessGone);
  for (const deadline = performance.now() + patienceMs; ; ) {
    // A pod leaves the API when its kubelet is done with it, so nodes are not asked before.
    const inApi = await leftInApi(api, namespace);
    const left = inApi.length > 0 ? inApi : await leftOnNodes(nodes, namespace);
    if (left.length === 0 || performance.now() > deadline) return left;
    await delay(everyMs);
  }
}

async function leftInApi(api: CoreV1Api, namespace: string): Promise<readonly string[]> {
  const found = await api.readNamespace({ name: namespace }).catch(unlessGone);
  const { items } = await api.listPersistentVolume();
  const volumes = items.filter(({ spec }) => spec?.claimRef?.namespace === namespace);
  const conditions = found?.status?.conditions?.filter(({ status }) => status === 'True') ?? [];
  return [
    ...(found ? [`namespace ${namespace}: ${conditions.map(({ message }) => message).join('; ') || 'is going'}`] : []),
    ...volumes.map(({ metadata }) => `volume ${metadata?.name}`),
  ];
}

async function leftOnNodes(nodes: readonly NodeLink[], namespace: string): Promise<readonly string[]> {
  const left = await Promise.all(nodes.map(({ call }) => call('leftovers', { namespace })));
  return left.flatMap((lines, index) => lines.map((line) => `${nodes[index]?.facts.node}: ${line}`));
}

function unlessGone(error: { readonly code?: number }): undefined {
  if (error.code !== 404 && error.code !== 409) throw error;
}
