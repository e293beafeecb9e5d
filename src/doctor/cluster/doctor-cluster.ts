import { explainError } from '../../../recovery/deploy/errors.ts';
import type { Finding } from '../assess.ts';
import { assessCluster } from './assess-cluster.ts';
import { type GatherClusterOptions, gatherCluster } from './gather-cluster.ts';

/** Inspects a cluster. Rejects with `CannotDeploy` if its API server cannot be queried. */
export async function doctorCluster(options: GatherClusterOptions): Promise<readonly Finding[]> {
  const server = options.kubeConfig.getCurrentCluster()?.server ?? '';
  try {
    return assessCluster(await gatherCluster(options));
  } catch (error) {
    throw explainError('look at the cluster', server, error);
  }
}
