import { dirname, resolve } from 'node:path';
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

/**
 * Loads the kubelet's credentials of this node, with the files that its kubeconfig names: their paths may lead through symbolic links of the
 * node. The API server's address is the agent's own, because the kubelet's may be one that only the node can reach.
 *
 * @param path of the node, `/etc/kubernetes/kubelet.conf`
 * @returns undefined if there is no such file
 */
export function loadKubeletConfig(
  path: string,
  readNodeFile: (path: string) => Buffer,
  own: KubeConfig,
): KubeConfig | undefined {
  let text: string;
  try {
    text = readNodeFile(path).toString();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const config = new KubeConfig();
  config.loadFromString(text);
  const include = (file: string) => readNodeFile(resolve(dirname(path), file)).toString('base64');
  const kubelet = config.getCurrentUser();
  const cluster = own.getCurrentCluster();
  if (kubelet === null || cluster === null) throw new Error(`${path} names no current user: set its current-context`);
  const { certFile, keyFile, ...user } = kubelet;
  if (user.exec) throw new Error(`${path} names a program that is run for its credentials: deploy with --patch-nodes`);
  const included = new KubeConfig();
  included.loadFromClusterAndUser(cluster, {
    ...user,
    ...(certFile ? { certData: include(certFile) } : {}),
    ...(keyFile ? { keyData: include(keyFile) } : {}),
  });
  return included;
}
