import { ApiException, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from '@kubernetes/client-node';
import { allVolumesRules } from '../recovery/deploy/access.ts';
import type { AgentSettings } from './cluster.ts';

/**
 * Grants an agent the rights that its settings need and its deployment did not: those of `--read-write-scope=cluster`. Withdraws them
 * again, so that no other scenario runs with more rights than the agent is deployed with.
 */
export async function followScope(
  kubeConfig: KubeConfig,
  account: { readonly namespace: string; readonly name: string },
  { readWriteScope }: Pick<AgentSettings, 'readWriteScope'>,
): Promise<void> {
  const objects = KubernetesObjectApi.makeApiClient(kubeConfig);
  for (const object of access(account)) {
    const done = readWriteScope === 'cluster' ? objects.create(object) : objects.delete(object);
    await done.catch((error: unknown) => {
      if (!(error instanceof ApiException && [404, 409].includes(error.code))) throw error;
    });
  }
}

function access(account: { readonly namespace: string; readonly name: string }): readonly KubernetesObject[] {
  const group = 'rbac.authorization.k8s.io';
  const metadata = { name: `rekindle:all-volumes:${account.namespace}:${account.name}` };
  const roleRef = { apiGroup: group, kind: 'ClusterRole', name: metadata.name };
  const subjects = [{ kind: 'ServiceAccount', ...account }];
  return [
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules: allVolumesRules } as KubernetesObject,
    { apiVersion: `${group}/v1`, kind: 'ClusterRoleBinding', metadata, roleRef, subjects } as KubernetesObject,
  ];
}
