import type { JsonObject } from '../kubernetes/json.ts';
import type { Transport } from '../kubernetes/transport.ts';
import { selectors } from './admit.ts';
import { paths } from './server.ts';

/** How the API server reaches the webhook: a URL without path, or a Service. */
export type Reached =
  | { readonly url: string }
  | { readonly service: { readonly namespace: string; readonly name: string; readonly port: number } };

const apiVersion = 'admissionregistration.k8s.io/v1';
const timeoutSeconds = 10;

const kinds = [
  { kind: 'MutatingWebhookConfiguration', name: 'fluid-pod-admission-webhook', path: paths.mutate },
  { kind: 'ValidatingWebhookConfiguration', name: 'fluid-pod-validating-webhook', path: paths.validate },
] as const;

/** The configurations as role-based access names them. */
export const configurationNames = kinds.map(({ kind, name }) => ({ plural: `${kind.toLowerCase()}s`, name }));

/** Namespaces without which nothing else runs: no pod there waits for this webhook. */
export const leftAlone = ['kube-system'];

export interface Registration {
  readonly reached: Reached;
  /** Base64 of PEM; without it nobody trusts the webhook until it says so itself. */
  readonly caBundle?: string;
  /** Namespaces whose pods it is not asked about. */
  readonly except: readonly string[];
}

/** The two configurations: one by which pods are changed, one by which they are judged once all have changed them. Pure. */
export function configurations({ reached, caBundle, except }: Registration): readonly JsonObject[] {
  return kinds.map(({ kind, name, path }) => ({
    apiVersion,
    kind,
    metadata: { name, labels: { app: 'fluid-webhook' } },
    webhooks: selectors.map(({ entry, key, value }) => ({
      name: entry,
      admissionReviewVersions: ['v1'],
      clientConfig: { ...clientConfig(reached, path), ...(caBundle === undefined ? {} : { caBundle }) },
      rules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: 'Namespaced' },
      ],
      objectSelector: { matchLabels: { [key]: value } },
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [...except] }],
      },
      // A labelled pod that nobody has looked at would ask for what it does not get (docs/adr/0014).
      failurePolicy: 'Fail',
      sideEffects: 'None',
      timeoutSeconds,
      matchPolicy: 'Equivalent',
      ...(kind === 'MutatingWebhookConfiguration' ? { reinvocationPolicy: 'IfNeeded' } : {}),
    })),
  }));
}

/** The part of the configurations that only the webhook knows. */
function trust(caBundle: string): readonly JsonObject[] {
  const webhooks = selectors.map(({ entry }) => ({ name: entry, clientConfig: { caBundle } }));
  return kinds.map(({ kind, name }) => ({ apiVersion, kind, metadata: { name }, webhooks }));
}

function clientConfig(reached: Reached, path: string): JsonObject {
  return 'url' in reached ? { url: `${reached.url}${path}` } : { service: { ...reached.service, path } };
}

/**
 * Makes the API server call, or trust, the webhook (server-side apply). Behind a URL the configurations are all its own;
 * behind a Service whoever deployed it has made them, and it says what is to be trusted.
 */
export async function register(transport: Transport, reached: Reached, caBundle: string): Promise<void> {
  const objects = 'url' in reached ? configurations({ reached, caBundle, except: leftAlone }) : trust(caBundle);
  for (const value of objects) {
    const { kind, metadata } = value as { readonly kind: string; readonly metadata: { readonly name: string } };
    const path = `/apis/${apiVersion}/${kind.toLowerCase()}s/${metadata.name}?fieldManager=fluid-webhook&force=true`;
    const body = { contentType: 'application/apply-patch+yaml', value };
    await transport.json({ method: 'PATCH', path, body, signal: AbortSignal.timeout(timeoutSeconds * 1000) });
  }
}
