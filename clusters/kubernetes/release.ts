import { CoreV1Api, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { pollOrLast } from '../poll.ts';
import type { NodeLink } from './node-link.ts';

export interface ReleaseOptions {
  readonly kubeConfig: KubeConfig;
  readonly nodes: readonly NodeLink[];
}

const graceSeconds = 2;

/**
 * Deletes namespaces of scenarios. `release` waits until a namespace has nothing left on nodes. The API objects disappear while the
 * next scenario runs; disposal waits for them.
 */
export class Releases implements AsyncDisposable {
  readonly #options: ReleaseOptions;
  readonly #api: CoreV1Api;
  readonly #deletions: Promise<readonly string[]>[] = [];

  constructor(options: ReleaseOptions) {
    this.#options = options;
    this.#api = options.kubeConfig.makeApiClient(CoreV1Api);
  }

  /** Resolves with what is still on nodes after the timeout. */
  async release(namespace: string): Promise<readonly string[]> {
    const api = this.#api;
    await api.deleteNamespace({ name: namespace }).catch(ignoreGone);
    // The namespace's own controller would grant each pod its full grace period.
    await api.deleteCollectionNamespacedPod({ namespace, gracePeriodSeconds: graceSeconds }).catch(ignoreGone);
    const leftovers = await waitUntilEmpty(`${namespace} is released`, () => this.#onNodes(namespace));
    this.#deletions.push(waitUntilEmpty(`${namespace} is gone`, () => this.#inApi(namespace)));
    return leftovers;
  }

  /** @throws if objects are left in the API after the timeout */
  async [Symbol.asyncDispose](): Promise<void> {
    const leftovers = (await Promise.all(this.#deletions)).flat();
    if (leftovers.length > 0) throw new Error(`not released: ${leftovers.join('; ')}`);
  }

  async #onNodes(namespace: string): Promise<readonly string[]> {
    // A pod leaves the API when its kubelet has finished, so nodes need not be asked earlier.
    const { items } = await this.#api.listNamespacedPod({ namespace });
    const { nodes } = this.#options;
    for (const { metadata, spec } of items.filter(hasEnded))
      await nodes.find(({ facts }) => facts.node === spec?.nodeName)?.remote.releaseShared(metadata?.uid ?? '');
    if (items.length > 0) return items.map(({ metadata }) => `pod ${metadata?.name}`);
    const lists = await Promise.all(nodes.map(({ remote }) => remote.leftovers(namespace)));
    return lists.flatMap((lines, index) => lines.map((line) => `${nodes[index]?.facts.node}: ${line}`));
  }

  async #inApi(namespace: string): Promise<readonly string[]> {
    const found = await this.#api.readNamespace({ name: namespace }).catch(ignoreGone);
    const { items } = await this.#api.listPersistentVolume();
    const volumes = items.filter(({ spec }) => spec?.claimRef?.namespace === namespace);
    const conditions = found?.status?.conditions?.filter(({ status }) => status === 'True') ?? [];
    return [
      ...(found
        ? [`namespace ${namespace}: ${conditions.map(({ message }) => message).join('; ') || 'is being deleted'}`]
        : []),
      ...volumes.map(({ metadata }) => `volume ${metadata?.name}`),
    ];
  }
}

/** The pod is being deleted, and all of its containers have ended. */
const hasEnded = ({ metadata, status }: V1Pod): boolean =>
  metadata?.deletionTimestamp !== undefined &&
  status?.containerStatuses?.every(({ state }) => state?.terminated !== undefined) === true;

/** Resolves with what is left after the timeout. Continues if the run is aborted, because everything must be removed. */
function waitUntilEmpty(what: string, list: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const asLine = (error: unknown) => [`${what}: ${error instanceof Error ? error.message : String(error)}`];
  return pollOrLast({
    // A failed request is repeated.
    read: () => list().catch(asLine),
    until: ({ length }) => length === 0,
    timeoutMs: 120_000,
    intervalMs: 200,
  });
}

function ignoreGone(error: { readonly code?: number }): undefined {
  if (error.code !== 404 && error.code !== 409) throw error;
}
