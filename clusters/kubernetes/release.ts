import { CoreV1Api, type KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { poll } from '../poll.ts';
import type { NodeLink } from './node-link.ts';

export interface ReleaseOptions {
  readonly kubeConfig: KubeConfig;
  readonly nodes: readonly NodeLink[];
}

const graceSeconds = 2;

/**
 * Releases namespaces. What a namespace holds on nodes, pods and mounts, is waited for; what is left in the API goes after that
 * while the next scenario runs, and is waited for in the end.
 */
export class Releases implements AsyncDisposable {
  readonly #options: ReleaseOptions;
  readonly #api: CoreV1Api;
  readonly #going: Promise<readonly string[]>[] = [];

  constructor(options: ReleaseOptions) {
    this.#options = options;
    this.#api = options.kubeConfig.makeApiClient(CoreV1Api);
  }

  /** What is left on nodes when it has taken too long. */
  async release(namespace: string): Promise<readonly string[]> {
    const api = this.#api;
    await api.deleteNamespace({ name: namespace }).catch(unlessGone);
    // Sooner than the namespace's own controller would, which grants each pod the grace that it asks for.
    await api.deleteCollectionNamespacedPod({ namespace, gracePeriodSeconds: graceSeconds }).catch(unlessGone);
    const left = await untilNothing(`${namespace} is released`, () => this.#onNodes(namespace));
    this.#going.push(untilNothing(`${namespace} is gone`, () => this.#inApi(namespace)));
    return left;
  }

  /** @throws with what is left in the API when it has taken too long */
  async [Symbol.asyncDispose](): Promise<void> {
    const left = (await Promise.all(this.#going)).flat();
    if (left.length > 0) throw new Error(`not released: ${left.join('; ')}`);
  }

  async #onNodes(namespace: string): Promise<readonly string[]> {
    // A pod leaves the API when its kubelet is done with it, so nodes are not asked before.
    const { items } = await this.#api.listNamespacedPod({ namespace });
    const { nodes } = this.#options;
    for (const { metadata, spec } of items.filter(hasEnded))
      await nodes.find(({ facts }) => facts.node === spec?.nodeName)?.remote.releaseShared(metadata?.uid ?? '');
    if (items.length > 0) return items.map(({ metadata }) => `pod ${metadata?.name}`);
    const left = await Promise.all(nodes.map(({ remote }) => remote.leftovers(namespace)));
    return left.flatMap((lines, index) => lines.map((line) => `${nodes[index]?.facts.node}: ${line}`));
  }

  async #inApi(namespace: string): Promise<readonly string[]> {
    const found = await this.#api.readNamespace({ name: namespace }).catch(unlessGone);
    const { items } = await this.#api.listPersistentVolume();
    const volumes = items.filter(({ spec }) => spec?.claimRef?.namespace === namespace);
    const conditions = found?.status?.conditions?.filter(({ status }) => status === 'True') ?? [];
    return [
      ...(found
        ? [`namespace ${namespace}: ${conditions.map(({ message }) => message).join('; ') || 'is going'}`]
        : []),
      ...volumes.map(({ metadata }) => `volume ${metadata?.name}`),
    ];
  }
}

/** A pod that is being deleted, and none of whose containers runs any more. */
const hasEnded = ({ metadata, status }: V1Pod): boolean =>
  metadata?.deletionTimestamp !== undefined &&
  status?.containerStatuses?.every(({ state }) => state?.terminated !== undefined) === true;

/** What was left when it took too long. Goes on when the run is told to stop: what is there has to go. */
async function untilNothing(what: string, look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  let last: readonly string[] = [];
  const { signal } = new AbortController();
  const orWhyNot = (error: unknown) => [`${what}: ${error instanceof Error ? error.message : String(error)}`];
  try {
    return await poll({
      intervalMs: 200,
      timeoutMs: 120_000,
      condition: what,
      read: async () => {
        // What cannot be asked now is asked again.
        last = await look().catch(orWhyNot);
        return last;
      },
      until: ({ length }) => length === 0,
      format: (left) => left.join('; '),
      signal,
    });
  } catch {
    return last;
  }
}

function unlessGone(error: { readonly code?: number }): undefined {
  if (error.code !== 404 && error.code !== 409) throw error;
}
