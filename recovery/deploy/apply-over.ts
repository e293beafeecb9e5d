import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '@kubernetes/client-node';
import { type Api, formatTitle, isOurs } from './api.ts';
import { Conflict } from './errors.ts';

export interface Applied {
  readonly object: KubernetesObject;
  readonly change: 'created' | 'configured' | 'unchanged';
}

const maxRetries = 10;

/**
 * Applies an object that is built from the existing one, so that decisions of administrators are kept. Retries if the object changes
 * meanwhile. Undefined if the existing object is foreign, which leaves it unchanged.
 */
export async function applyOver(
  { api, dryRun }: { readonly api: Api; readonly dryRun: boolean },
  target: KubernetesObject,
  build: (live: KubernetesObject | undefined) => KubernetesObject,
): Promise<Applied | undefined> {
  for (let retries = maxRetries; ; retries--) {
    const before = await api.read(target);
    if (before !== undefined && !isOurs(before)) return undefined;
    const object = build(before);
    const version = before?.metadata?.resourceVersion;
    const guarded =
      version === undefined ? object : { ...object, metadata: { ...object.metadata, resourceVersion: version } };
    try {
      const after = await api.apply(guarded, { dryRun });
      const change = before === undefined ? 'created' : isSame(before, after) ? 'unchanged' : 'configured';
      return { object, change };
    } catch (error) {
      if (!(error instanceof Conflict) || retries === 0) throw error;
    }
  }
}

/** `daemonset/csi-nodeplugin-fluid configured`. */
export const formatApplied = ({ object, change }: Applied) => `${formatTitle(object)} ${change}`;

/** Whether two states of an object have the same content, apart from what the API server records. */
function isSame(a: KubernetesObject, b: KubernetesObject): boolean {
  return isDeepStrictEqual(contentOf(a), contentOf(b));
}

function contentOf(object: KubernetesObject): unknown {
  const { metadata, status: _, ...rest } = JSON.parse(JSON.stringify(object));
  const { resourceVersion: _v, managedFields: _m, generation: _g, ...content } = metadata;
  return { ...rest, metadata: content };
}
