import { KubeConfig } from '@kubernetes/client-node';
import { formatError } from '../log.ts';
import { CannotStart } from './cannot-start.ts';

/** Loads a kubeconfig, or the service account of the agent's pod. */
export function loadKubeConfig(
  path: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): KubeConfig {
  const config = new KubeConfig();
  if (path === undefined && !env.KUBERNETES_SERVICE_HOST) {
    throw new CannotStart('no API server is known: run in a pod with a service account, or give --kubeconfig=PATH');
  }
  try {
    if (path === undefined) config.loadFromCluster();
    else config.loadFromFile(path);
  } catch (error) {
    throw new CannotStart(`--kubeconfig=${path} cannot be read: ${formatError(error)}`, { cause: error });
  }
  if (config.getCurrentCluster() !== null) return config;
  throw new CannotStart(`--kubeconfig=${path} names no current cluster: set its current-context`);
}
