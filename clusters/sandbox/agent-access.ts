import { CoreV1Api, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from '@kubernetes/client-node';
import { clientConfig } from '../../fakes/apiserver/client-config.ts';
import { agentAccess, webhookAccess } from '../../recovery/deploy/access.ts';
import { defaultOptions, names } from '../../recovery/deploy/options.ts';

export const agentAccount = { namespace: names.namespace, name: names.agent };

/**
 * Creates the service accounts of agent and webhook with the roles of `rekindle deploy`, and returns a kubeconfig for each, as JSON.
 * Thus the stand-in of the API server refuses what a cluster would refuse.
 */
export async function createServiceAccounts(admin: KubeConfig): Promise<{
  readonly agent: string;
  readonly webhook: string;
}> {
  const objects = KubernetesObjectApi.makeApiClient(admin);
  await objects.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: names.namespace } });
  const access = [...agentAccess(defaultOptions), ...webhookAccess(defaultOptions), ...selfRegistration()];
  await Promise.all(access.map((object) => objects.create(object)));
  const core = admin.makeApiClient(CoreV1Api);
  const kubeConfigFor = async (name: string): Promise<string> => {
    const account = { name, namespace: names.namespace };
    const { status } = await core.createNamespacedServiceAccountToken({
      ...account,
      body: { spec: { audiences: [] } },
    });
    const url = admin.getCurrentCluster()?.server ?? '';
    return clientConfig({ url, token: status?.token ?? '' }).exportConfig();
  };
  return { agent: await kubeConfigFor(names.agent), webhook: await kubeConfigFor(names.webhook) };
}

/** The deployment creates the webhook's configurations on a cluster. The sandbox's webhook has a URL and creates them itself. */
function selfRegistration(): readonly KubernetesObject[] {
  const metadata = { name: 'rekindle:webhook-registers-itself' };
  const group = 'rbac.authorization.k8s.io';
  const resources = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
  const rules = [{ apiGroups: ['admissionregistration.k8s.io'], resources, verbs: ['create'] }];
  const subjects = [{ kind: 'ServiceAccount', name: names.webhook, namespace: names.namespace }];
  const roleRef = { apiGroup: group, kind: 'ClusterRole', name: metadata.name };
  return [
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules } as KubernetesObject,
    { apiVersion: `${group}/v1`, kind: 'ClusterRoleBinding', metadata, roleRef, subjects } as KubernetesObject,
  ];
}
