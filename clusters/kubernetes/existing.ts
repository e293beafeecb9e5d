import { KubeConfig } from '@kubernetes/client-node';
import type { ClusterProvider } from './provider.ts';

/**
 * The user's cluster, which is left as it was. The caller asks for the user's consent. `text`: a kubeconfig, of whose contexts
 * only the current one is used. It may hold credentials, so it is kept in memory only.
 */
export function existingProvider(text: string): ClusterProvider {
  return {
    name: 'existing',
    async open() {
      const kubeConfig = new KubeConfig();
      kubeConfig.loadFromString(text);
      const context = kubeConfig.getCurrentContext();
      return {
        clusterName: context,
        kubeConfig,
        description: `the cluster of the context ${context}`,
        isForeign: true,
        remains: 'cluster',
        hints: [],
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}
