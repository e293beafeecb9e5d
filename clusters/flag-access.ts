import { ApiException, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from '@kubernetes/client-node';
import { allVolumesRules, fallbackRules } from '../recovery/deploy/access.ts';
import type { AgentSettings } from './cluster.ts';

type Account = { readonly namespace: string; readonly name: string };

/**
 * Grants an agent the rights that its settings need and its deployment did not: those of `--read-write-scope=cluster` and of `--fallback`.
 * Withdraws them again, so that no other scenario runs with more rights than the agent is deployed with.
 */
export async function followFlags(
  kubeConfig: KubeConfig,
  account: Account,
  { readWriteScope, fallback = false }: Pick<AgentSettings, 'readWriteScope' | 'fallback'>,
): Promise<void> {
  const objects = KubernetesObjectApi.makeApiClient(kubeConfig);
  const rights = [
    { part: 'all-volumes', rules: allVolumesRules, isGranted: readWriteScope === 'cluster' },
    { part: 'fallback', rules: fallbackRules, isGranted: fallback },
  ];
  for (const { part, rules, isGranted } of rights) {
    for (const object of access(account, part, rules)) {
      const done = isGranted ? objects.create(object) : objects.delete(object);
      await done.catch((error: unknown) => {
        if (!(error instanceof ApiException && [404, 409].includes(error.code))) throw error;
      });
    }
  }
}

function access(account: Account, part: string, rules: typeof allVolumesRules): readonly KubernetesObject[] {
  const group = 'rbac.authorization.k8s.io';
  const metadata = { name: `rekindle:${part}:${account.namespace}:${account.name}` };
  const roleRef = { apiGroup: group, kind: 'ClusterRole', name: metadata.name };
  const subjects = [{ kind: 'ServiceAccount', ...account }];
  return [
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules } as KubernetesObject,
    { apiVersion: `${group}/v1`, kind: 'ClusterRoleBinding', metadata, roleRef, subjects } as KubernetesObject,
  ];
}
