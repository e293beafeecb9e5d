import type { RunningCluster } from '../cluster.ts';
import type { KubernetesClusterOptions } from './options.ts';

/**
 * The verbs of scenarios on a Kubernetes cluster that is up: the store, Fluid's controllers, the agent and the node program
 * run in it. Disposing of it gives the agent its flags back and ends the sessions with the node programs, and then `life`.
 */
export async function runKubernetesCluster(options: KubernetesClusterOptions): Promise<RunningCluster> {
  throw new Error(`${options.name} cannot run scenarios yet`);
}
