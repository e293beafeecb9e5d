import type { KubeConfig, KubernetesObject } from '@kubernetes/client-node';
import { createTransport } from '../../recovery/kubernetes/transport.ts';

/** Applies a CustomResourceDefinition as it stands: the client's own way loses those words of a schema that it has other names for. */
export async function applyDefinition(
  kubeConfig: KubeConfig,
  object: KubernetesObject,
  signal: AbortSignal,
): Promise<void> {
  const name = encodeURIComponent(object.metadata?.name ?? '');
  await createTransport(kubeConfig).json({
    method: 'PATCH',
    path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}?fieldManager=rekindle&force=true`,
    body: { contentType: 'application/apply-patch+yaml', value: object },
    signal,
  });
}
