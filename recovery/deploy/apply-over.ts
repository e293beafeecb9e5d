import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '@kubernetes/client-node';
import { type Api, titleOf } from './api.ts';
import { Conflict } from './explained.ts';
import { isOurs } from './foreign.ts';

export interface Applied {
  readonly object: KubernetesObject;
  readonly change: 'created' | 'configured' | 'unchanged';
}

export interface ApplyOptions {
  readonly api: Api;
  readonly dryRun: boolean;
}

const tries = 10;

/**
 * Applies an object that is made anew from what is there, so that what administrators decide stays as it is; tried again where
 * it changed in between. Undefined: it is there, and not ours to change.
 */
export async function applyOver(
  { api, dryRun }: ApplyOptions,
  target: KubernetesObject,
  make: (live: KubernetesObject | undefined) => KubernetesObject,
): Promise<Applied | undefined> {
  for (let left = tries; ; left--) {
    const before = await api.read(target);
    if (before !== undefined && !isOurs(before)) return undefined;
    const object = make(before);
    const version = before?.metadata?.resourceVersion;
    const guarded =
      version === undefined ? object : { ...object, metadata: { ...object.metadata, resourceVersion: version } };
    try {
      const after = await api.apply(guarded, { dryRun });
      const change = before === undefined ? 'created' : isSame(before, after) ? 'unchanged' : 'configured';
      return { object, change };
    } catch (error) {
      if (!(error instanceof Conflict) || left === 0) throw error;
    }
  }
}

/** `daemonset/csi-nodeplugin-fluid configured`. */
export const sayApplied = ({ object, change }: Applied) => `${titleOf(object)} ${change}`;

/** Whether two states of an object ask for the same; what the API server notes in it does not count. */
function isSame(a: KubernetesObject, b: KubernetesObject): boolean {
  return isDeepStrictEqual(asked(a), asked(b));
}

function asked(object: KubernetesObject): unknown {
  const { metadata, status: _, ...rest } = JSON.parse(JSON.stringify(object));
  const { resourceVersion: _v, managedFields: _m, generation: _g, ...kept } = metadata;
  return { ...rest, metadata: kept };
}
