import { KubeConfig } from '@kubernetes/client-node';
import type { Cluster } from './cluster.ts';
import type { DeployedAgent } from './kubernetes/agent-control.ts';
import { kindProvider } from './kubernetes/kind.ts';
import { kubernetesCluster } from './kubernetes/kubernetes-cluster.ts';
import { minikubeProvider } from './kubernetes/minikube.ts';
import type { ClusterProvider, ClusterRequest } from './kubernetes/provider.ts';

/** The Kubernetes cluster of a run. Data only, because it is sent to other processes. */
export type KubernetesChoice =
  | ({ readonly cluster: 'kind' | 'minikube' } & ClusterRequest)
  | {
      readonly cluster: 'existing';
      /** Text of a kubeconfig. Its current context is used. */
      readonly kubeConfig: string;
      /** The implementation under test that is already installed. Absent: ours is deployed. */
      readonly theirs?: DeployedAgent;
    };

/** The chosen cluster, not started yet. */
export function chooseCluster(choice: KubernetesChoice): Cluster {
  switch (choice.cluster) {
    case 'kind':
      return kubernetesCluster(kindProvider(choice));
    case 'minikube':
      return kubernetesCluster(minikubeProvider(choice));
    case 'existing':
      return kubernetesCluster(existingProvider(choice.kubeConfig), choice.theirs);
  }
}

/**
 * The user's cluster, which is left as it was. The caller asks for the user's consent. `text`: a kubeconfig, of whose contexts
 * only the current one is used. It may hold credentials, so it is kept in memory only.
 */
function existingProvider(text: string): ClusterProvider {
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
