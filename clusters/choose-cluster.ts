import type { Cluster } from './cluster.ts';
import type { DeployedAgent } from './kubernetes/agent-control.ts';
import { existingProvider } from './kubernetes/existing.ts';
import { kindProvider } from './kubernetes/kind.ts';
import { kubernetesCluster } from './kubernetes/kubernetes-cluster.ts';
import { minikubeProvider } from './kubernetes/minikube.ts';
import type { ClusterRequest } from './kubernetes/provider.ts';

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
