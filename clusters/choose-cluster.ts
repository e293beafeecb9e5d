import type { Cluster } from './cluster.ts';
import { existingPlace } from './existing/existing-place.ts';
import { kindPlace } from './kind/kind-place.ts';
import type { AgentDaemonSet } from './kubernetes/options.ts';
import type { ClusterWishes } from './lifecycle/place.ts';
import { kubernetesCluster } from './lifecycle/start-kubernetes.ts';
import { minikubePlace } from './minikube/minikube-place.ts';

/** Where on Kubernetes a run is made. Data only, as it is sent to another process. */
export type KubernetesChoice =
  | ({ readonly cluster: 'kind' | 'minikube' } & ClusterWishes)
  | {
      readonly cluster: 'existing';
      /** Text of a kubeconfig whose current context it is. */
      readonly kubeConfig: string;
      /** The implementation that is there already; absent where ours is brought. */
      readonly theirs?: AgentDaemonSet;
    };

/** The cluster of a choice; nothing is started yet. */
export function chooseCluster(choice: KubernetesChoice): Cluster {
  switch (choice.cluster) {
    case 'kind':
      return kubernetesCluster({ place: kindPlace(choice) });
    case 'minikube':
      return kubernetesCluster({ place: minikubePlace(choice) });
    case 'existing':
      return kubernetesCluster({
        place: existingPlace(choice),
        ...(choice.theirs && { theirs: choice.theirs }),
      });
  }
}
