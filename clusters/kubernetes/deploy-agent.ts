import type { KubeConfig } from '@kubernetes/client-node';
import { openApi } from '../../recovery/deploy/api.ts';
import { CannotDeploy, deploy, names } from '../../recovery/deploy/index.ts';
import { removeDeployment } from '../../recovery/deploy/remove.ts';
import { step } from './provider.ts';

export interface AgentDeployment {
  readonly kubeConfig: KubeConfig;
  readonly image: string;
  /** The cluster is the user's: an agent that is already deployed is tested as it is, and stays. */
  readonly isForeign: boolean;
  /** Removes the deployment from a user's cluster, even if it fails half way. */
  readonly life: AsyncDisposableStack;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

const removalMs = 120_000;

/** Deploys agent and webhook. @throws CannotDeploy */
export async function deployAgent(deployment: AgentDeployment): Promise<void> {
  const { kubeConfig, image, isForeign, life, signal, onProgress } = deployment;
  const { namespace } = names;
  if (isForeign) {
    if (await isAgentDeployed(kubeConfig))
      return onProgress(`the node agent that is deployed in ${namespace} is tested`);
    life.defer(async () => {
      await removeDeployment({ kubeConfig, namespace, onProgress, signal: AbortSignal.timeout(removalMs) });
    });
  }
  const { incomplete } = await step(onProgress, 'deploying the node agent and the webhook', () =>
    deploy({ kubeConfig, namespace, image, signal, onProgress }),
  );
  // A node without an agent would make scenarios fail that are placed there.
  if (incomplete.length > 0)
    throw new CannotDeploy(
      incomplete.join(', '),
      'use a cluster whose nodes are all ready, or remove those that are not',
    );
}

/** Returns whether a DaemonSet of the agent's name exists. */
export async function isAgentDeployed(kubeConfig: KubeConfig): Promise<boolean> {
  const metadata = { namespace: names.namespace, name: names.agent };
  return (await openApi(kubeConfig).read({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata })) !== undefined;
}
