import type { KubeConfig } from '@kubernetes/client-node';

/** A kubeconfig as text, in whose contexts a namespace is the default one. */
export function withNamespace(kubeConfig: KubeConfig, namespace: string): string {
  const config: { readonly contexts: readonly { readonly context: object }[] } = JSON.parse(kubeConfig.exportConfig());
  const contexts = config.contexts.map((each) => ({ ...each, context: { ...each.context, namespace } }));
  return JSON.stringify({ ...config, contexts });
}
