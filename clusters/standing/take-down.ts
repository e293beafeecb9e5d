import { setTimeout as delay } from 'node:timers/promises';
import {
  AdmissionregistrationV1Api,
  ApiException,
  ApiextensionsV1Api,
  CoreV1Api,
  type KubeConfig,
  type KubernetesObject,
  RbacAuthorizationV1Api,
} from '@kubernetes/client-node';
import { openApi, titleOf } from '../../recovery/deploy/api.ts';
import { runLabel } from './standing-objects.ts';

export interface TakeDownOptions {
  readonly kubeConfig: KubeConfig;
  /** Which runs' objects: those that bear the label, and of them those for which it holds. */
  readonly of: (runId: string) => boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

const pollEveryMs = 500;

/** What runs have left in a cluster, by their label: namespaces (scenarios' too), definitions, roles, volumes. */
export async function standingOf(kubeConfig: KubeConfig): Promise<readonly KubernetesObject[]> {
  const labelSelector = runLabel;
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const rbac = kubeConfig.makeApiClient(RbacAuthorizationV1Api);
  const [webhooks, definitions, bindings, roles, namespaces] = await Promise.all([
    kubeConfig.makeApiClient(AdmissionregistrationV1Api).listMutatingWebhookConfiguration({ labelSelector }),
    kubeConfig.makeApiClient(ApiextensionsV1Api).listCustomResourceDefinition({ labelSelector }),
    rbac.listClusterRoleBinding({ labelSelector }),
    rbac.listClusterRole({ labelSelector }),
    core.listNamespace({ labelSelector }),
  ]);
  const as = (apiVersion: string, kind: string, { items }: { readonly items: readonly KubernetesObject[] }) =>
    items.map(({ metadata }) => ({ apiVersion, kind, ...(metadata && { metadata }) }));
  return [
    ...as('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', webhooks),
    // Datasets first, as long as the controllers take away what was made for them.
    ...as('apiextensions.k8s.io/v1', 'CustomResourceDefinition', definitions),
    ...as('v1', 'Namespace', namespaces),
    ...as('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', bindings),
    ...as('rbac.authorization.k8s.io/v1', 'ClusterRole', roles),
  ];
}

/** Removes them and waits until they are gone. Titles of what was there. @throws CannotDeploy */
export async function takeDown({ kubeConfig, of, signal, onProgress }: TakeDownOptions): Promise<readonly string[]> {
  const api = openApi(kubeConfig);
  const objects = (await standingOf(kubeConfig)).filter(({ metadata }) => of(metadata?.labels?.[runLabel] ?? ''));
  for (const object of objects) {
    await api.remove(object);
    while ((await api.read(object)) !== undefined) await delay(pollEveryMs, undefined, { signal });
    onProgress(`${titleOf(object)} removed`);
  }
  return objects.map(titleOf);
}

/** The definition of Dataset, where it stands and no run has put it there: another Fluid's. */
export async function foreignFluid(kubeConfig: KubeConfig): Promise<string | undefined> {
  const name = 'datasets.data.fluid.io';
  try {
    const { metadata } = await kubeConfig.makeApiClient(ApiextensionsV1Api).readCustomResourceDefinition({ name });
    return metadata?.labels?.[runLabel] === undefined ? `customresourcedefinition/${name}` : undefined;
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  }
}
