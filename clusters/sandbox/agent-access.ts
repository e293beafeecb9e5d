import { CoreV1Api, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from '@kubernetes/client-node';
import { kubeConfigText } from '../../fakes/apiserver/kubeconfig.ts';
import { agentAccess, webhookAccess } from '../../recovery/deploy/access.ts';
import { defaultOptions, names } from '../../recovery/deploy/options.ts';

/** A service account as a pod receives it: files of the volume, and the server's address in the environment. */
export interface ServiceAccount {
  readonly files: { readonly token: string; readonly 'ca.crt': string; readonly namespace: string };
  readonly environment: { readonly KUBERNETES_SERVICE_HOST: string; readonly KUBERNETES_SERVICE_PORT: string };
}

export const agentAccount = { namespace: names.namespace, name: names.agent };

/**
 * Creates the service accounts of agent and webhook with the roles of `rekindle deploy`. Thus the stand-in of the API server refuses what
 * a cluster would refuse. The webhook, which has no container here, gets a kubeconfig.
 */
export async function createServiceAccounts(admin: KubeConfig): Promise<{
  readonly agent: ServiceAccount;
  readonly webhook: string;
}> {
  const objects = KubernetesObjectApi.makeApiClient(admin);
  await objects.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: names.namespace } });
  const access = [...agentAccess(defaultOptions), ...webhookAccess(defaultOptions), ...selfRegistration()];
  await Promise.all(access.map((object) => objects.create(object)));
  const core = admin.makeApiClient(CoreV1Api);
  const { server: url = '', caData = '' } = admin.getCurrentCluster() ?? {};
  const authority = Buffer.from(caData, 'base64').toString();
  const tokenFor = async (name: string): Promise<string> => {
    const account = { name, namespace: names.namespace };
    const { status } = await core.createNamespacedServiceAccountToken({
      ...account,
      body: { spec: { audiences: [] } },
    });
    return status?.token ?? '';
  };
  const { hostname, port } = new URL(url);
  return {
    agent: {
      files: { token: await tokenFor(names.agent), 'ca.crt': authority, namespace: names.namespace },
      environment: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
    },
    webhook: kubeConfigText({ url, authority, user: { token: await tokenFor(names.webhook) } }),
  };
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
