import type { JsonObject } from '../kubernetes/json.ts';
import type { Transport } from '../kubernetes/transport.ts';
import { selectors } from './admit.ts';
import { paths } from './server.ts';

/** How the API server reaches the webhook: a URL without path, or a Service. */
export type Reached =
  | { readonly url: string }
  | { readonly service: { readonly namespace: string; readonly name: string; readonly port: number } };

const timeoutSeconds = 10;

/** The two configurations: one by which pods are changed, one by which they are judged once all have changed them. Pure. */
export function configurations(reached: Reached, caBundle: string): readonly JsonObject[] {
  const kinds = [
    { kind: 'MutatingWebhookConfiguration', name: 'fluid-pod-admission-webhook', path: paths.mutate },
    { kind: 'ValidatingWebhookConfiguration', name: 'fluid-pod-validating-webhook', path: paths.validate },
  ] as const;
  return kinds.map(({ kind, name, path }) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name, labels: { app: 'fluid-webhook' } },
    webhooks: selectors.map(({ entry, key, value }) => ({
      name: entry,
      admissionReviewVersions: ['v1'],
      clientConfig: { ...clientConfig(reached, path), caBundle },
      rules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: 'Namespaced' },
      ],
      objectSelector: { matchLabels: { [key]: value } },
      // A labelled pod that nobody has looked at would ask for what it does not get.
      failurePolicy: 'Fail',
      sideEffects: 'None',
      timeoutSeconds,
      matchPolicy: 'Equivalent',
      ...(kind === 'MutatingWebhookConfiguration' ? { reinvocationPolicy: 'IfNeeded' } : {}),
    })),
  }));
}

function clientConfig(reached: Reached, path: string): JsonObject {
  return 'url' in reached ? { url: `${reached.url}${path}` } : { service: { ...reached.service, path } };
}

/** Creates the configurations or brings them up to date (server-side apply): the certificate is another after each start. */
export async function register(transport: Transport, reached: Reached, caBundle: string): Promise<void> {
  for (const value of configurations(reached, caBundle)) {
    const { kind, metadata } = value as { readonly kind: string; readonly metadata: { readonly name: string } };
    const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s/${metadata.name}?fieldManager=fluid-webhook&force=true`;
    const body = { contentType: 'application/apply-patch+yaml', value };
    await transport.json({ method: 'PATCH', path, body, signal: AbortSignal.timeout(timeoutSeconds * 1000) });
  }
}
