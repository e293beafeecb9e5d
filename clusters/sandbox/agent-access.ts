import {
  CoreV1Api,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  type V1PolicyRule,
} from '@kubernetes/client-node';
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
 * a cluster would refuse. The webhook, which has no container here, gets a kubeconfig. So does the kubelet of a node: its account stands
 * in for the client certificate of a node, which the stand-in does not know.
 */
export async function createServiceAccounts(
  admin: KubeConfig,
  node: string,
): Promise<{
  readonly agent: ServiceAccount;
  readonly webhook: string;
  readonly kubelet: string;
}> {
  const objects = KubernetesObjectApi.makeApiClient(admin);
  await objects.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: names.namespace } });
  const access = [
    ...agentAccess(defaultOptions),
    ...webhookAccess(defaultOptions),
    ...selfRegistration(),
    ...kubeletAccess(node),
  ];
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
    kubelet: kubeConfigText({ url, authority, user: { token: await tokenFor('kubelet') } }),
  };
}

const group = 'rbac.authorization.k8s.io';

/** The deployment creates the webhook's configurations on a cluster. The sandbox's webhook has a URL and creates them itself. */
function selfRegistration(): readonly KubernetesObject[] {
  const resources = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'];
  const rules = [{ apiGroups: ['admissionregistration.k8s.io'], resources, verbs: ['create'] }];
  return grant('rekindle:webhook-registers-itself', names.webhook, rules);
}

/** What the node authorizer of a cluster allows, as far as agents need it: a kubelet may patch its own node only. */
function kubeletAccess(node: string): readonly KubernetesObject[] {
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'kubelet', namespace: names.namespace },
  };
  const rules = [{ apiGroups: [''], resources: ['nodes'], resourceNames: [node], verbs: ['get', 'patch'] }];
  return [account, ...grant('rekindle:kubelet', 'kubelet', rules)];
}

function grant(name: string, account: string, rules: readonly V1PolicyRule[]): readonly KubernetesObject[] {
  const metadata = { name };
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace: names.namespace }];
  const roleRef = { apiGroup: group, kind: 'ClusterRole', name };
  return [
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata, rules } as KubernetesObject,
    { apiVersion: `${group}/v1`, kind: 'ClusterRoleBinding', metadata, roleRef, subjects } as KubernetesObject,
  ];
}
