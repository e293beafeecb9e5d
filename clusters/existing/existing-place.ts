import { KubeConfig } from '@kubernetes/client-node';
import type { OpenPlace, Place } from '../lifecycle/place.ts';

export interface ExistingWishes {
  /** Text of a kubeconfig; of its contexts only the current one is used. Kept in memory, as it may hold credentials. */
  readonly kubeConfig: string;
}

/** A cluster that somebody runs. It is left as it was. The consent is the caller's to ask for. */
export function existingPlace({ kubeConfig }: ExistingWishes): Place {
  return { name: 'existing', open: async () => open(kubeConfig) };
}

function open(text: string): OpenPlace {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(text);
  const context = kubeConfig.getCurrentContext();
  return {
    clusterName: context,
    kubeConfig,
    description: `the cluster of the context ${context}`,
    isForeign: true,
    leaves: 'cluster',
    afterwards: [],
    async [Symbol.asyncDispose]() {},
  };
}
