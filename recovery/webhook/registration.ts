import { recoveryLabel } from '../engine/policy.ts';
import type { UncheckedObject } from '../kubernetes/json.ts';
import type { Transport } from '../kubernetes/transport.ts';
import { sidecarTarget } from './pod.ts';
import { paths } from './server.ts';

/** How the API server reaches the webhook: a URL without a path, or a Service. */
export type WebhookEndpoint =
  | { readonly url: string }
  | { readonly service: { readonly namespace: string; readonly name: string; readonly port: number } };

const apiVersion = 'admissionregistration.k8s.io/v1';
const timeoutSeconds = 10;

/** The labels of the pods for which the API server must call the webhook. */
const selectors = [
  { webhook: 'fuse.serverful.fluid.io', key: recoveryLabel, value: 'true' },
  { webhook: 'sidecar.fuse.fluid.io', key: sidecarTarget.label, value: sidecarTarget.value },
] as const;

const kinds = [
  { kind: 'MutatingWebhookConfiguration', name: 'fluid-pod-admission-webhook', path: paths.mutate },
  { kind: 'ValidatingWebhookConfiguration', name: 'fluid-pod-validating-webhook', path: paths.validate },
] as const;

/** The configurations as RBAC rules name them. */
export const configurationNames = kinds.map(({ kind, name }) => ({ plural: `${kind.toLowerCase()}s`, name }));

/** The cluster depends on pods in these namespaces, so their creation never waits for this webhook. */
export const exemptNamespaces = ['kube-system'];

export interface Registration {
  readonly endpoint: WebhookEndpoint;
  /** Base64 of PEM. If undefined, the webhook sets it when it starts. */
  readonly caBundle?: string;
  /** Namespaces for whose pods the webhook is not called. */
  readonly exemptNamespaces: readonly string[];
}

/** The mutating configuration, and the validating one that is called after all mutations. Pure. */
export function configurations({ endpoint, caBundle, exemptNamespaces }: Registration): readonly UncheckedObject[] {
  return kinds.map(({ kind, name, path }) => ({
    apiVersion,
    kind,
    metadata: { name, labels: { app: 'fluid-webhook' } },
    webhooks: selectors.map(({ webhook, key, value }) => ({
      name: webhook,
      admissionReviewVersions: ['v1'],
      clientConfig: { ...clientConfig(endpoint, path), ...(caBundle === undefined ? {} : { caBundle }) },
      rules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: 'Namespaced' },
      ],
      objectSelector: { matchLabels: { [key]: value } },
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [...exemptNamespaces] }],
      },
      // An unchecked labelled pod might request recovery that it cannot get (docs/adr/0014).
      failurePolicy: 'Fail',
      sideEffects: 'None',
      timeoutSeconds,
      matchPolicy: 'Equivalent',
      ...(kind === 'MutatingWebhookConfiguration' ? { reinvocationPolicy: 'IfNeeded' } : {}),
    })),
  }));
}

/** The fields of the configurations that only the webhook knows. */
function trustedAuthorities(caBundle: string): readonly UncheckedObject[] {
  const webhooks = selectors.map(({ webhook }) => ({ name: webhook, clientConfig: { caBundle } }));
  return kinds.map(({ kind, name }) => ({ apiVersion, kind, metadata: { name }, webhooks }));
}

function clientConfig(endpoint: WebhookEndpoint, path: string): UncheckedObject {
  return 'url' in endpoint ? { url: `${endpoint.url}${path}` } : { service: { ...endpoint.service, path } };
}

/**
 * Registers the webhook with the API server (server-side apply). For a URL it applies the whole configurations. For a
 * Service the deployment has created them, and only the `caBundle` is set.
 */
export async function register(transport: Transport, endpoint: WebhookEndpoint, caBundle: string): Promise<void> {
  const objects =
    'url' in endpoint ? configurations({ endpoint, caBundle, exemptNamespaces }) : trustedAuthorities(caBundle);
  for (const value of objects) {
    const { kind, metadata } = value as { readonly kind: string; readonly metadata: { readonly name: string } };
    const path = `/apis/${apiVersion}/${kind.toLowerCase()}s/${metadata.name}?fieldManager=fluid-webhook&force=true`;
    const body = { contentType: 'application/apply-patch+yaml', value };
    await transport.json({ method: 'PATCH', path, body, signal: AbortSignal.timeout(timeoutSeconds * 1000) });
  }
}
