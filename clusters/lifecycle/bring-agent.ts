import type { KubeConfig } from '@kubernetes/client-node';
import { openApi } from '../../recovery/deploy/api.ts';
import { deploy, names } from '../../recovery/deploy/index.ts';
import { removeDeployment } from '../../recovery/deploy/remove.ts';
import type { OpenPlace } from './place.ts';
import { step } from './step.ts';

export interface BringAgent {
  readonly kubeConfig: KubeConfig;
  readonly image: string;
  /** What is deployed into somebody's cluster is removed with it, also where that fails half way. */
  readonly life: AsyncDisposableStack;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

const removalMs = 120_000;

/** Deploys agent and webhook. In a cluster that somebody runs, an agent that is there already is judged as it is, and stays. @throws CannotDeploy */
export async function bringAgent(
  { isForeign }: Pick<OpenPlace, 'isForeign'>,
  { kubeConfig, image, life, signal, onProgress }: BringAgent,
): Promise<void> {
  const { namespace } = names;
  if (isForeign) {
    if (await isDeployed(kubeConfig)) return onProgress(`the node agent that is deployed in ${namespace} is judged`);
    life.defer(async () => {
      await removeDeployment({ kubeConfig, namespace, onProgress, signal: AbortSignal.timeout(removalMs) });
    });
  }
  await step(onProgress, 'deploying the node agent and the webhook', () =>
    deploy({ kubeConfig, namespace, image, signal, onProgress }),
  );
}

/** Whether there is a DaemonSet of the agent's name; whose it is, is asked elsewhere. */
export async function isDeployed(kubeConfig: KubeConfig): Promise<boolean> {
  const metadata = { namespace: names.namespace, name: names.agent };
  return (await openApi(kubeConfig).read({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata })) !== undefined;
}
