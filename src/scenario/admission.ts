import { ApiException, CoreV1Api, type KubeConfig, setHeaderOptions, type V1Pod } from '@kubernetes/client-node';
import type { Manifest } from './manifests.ts';

/** What became of a pod's creation at admission. */
export interface Admitted {
  /** The sentence of the refusal; undefined where the pod was created. */
  readonly denied?: string;
  /** HTTP status. */
  readonly code: number;
  /** Texts of the `Warning` headers, as `kubectl` prints them. */
  readonly warnings: readonly string[];
}

/** Creates a pod and listens to what the API server says of it. */
export async function createAndListen(kubeConfig: KubeConfig, namespace: string, pod: Manifest): Promise<Admitted> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  let warnings: readonly string[] = [];
  const { middleware = [], ...options } = setHeaderOptions('Accept', 'application/json');
  const listening = middleware.map((each) => ({
    pre: each.pre,
    post: (response: Parameters<typeof each.post>[0]) => {
      warnings = warningsOf(response.headers.warning);
      return each.post(response);
    },
  }));
  const body = { ...pod, metadata: { ...pod.metadata, namespace } } as V1Pod;
  try {
    await core.createNamespacedPod({ namespace, body }, { ...options, middleware: listening });
    return { code: 201, warnings };
  } catch (error) {
    if (!(error instanceof ApiException)) throw error;
    return { code: error.code, denied: messageOf(error.body), warnings };
  }
}

/** `299 - "text", 299 - "text"`, quotes and backslashes in a text escaped (RFC 7234, 5.5). */
function warningsOf(header: string | undefined): readonly string[] {
  const found = (header ?? '').matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g);
  return [...found].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'));
}

function messageOf(body: unknown): string {
  const status = typeof body === 'string' ? JSON.parse(body) : body;
  return String((status as { readonly message?: unknown } | undefined)?.message ?? '');
}
