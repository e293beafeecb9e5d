import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig, KubernetesObject } from '@kubernetes/client-node';
import { type Api, openApi, titleOf } from './api.ts';
import { CannotDeploy } from './cannot-deploy.ts';
import { isOurs } from './foreign.ts';
import { besideManifests, manifests } from './manifests.ts';
import { defaultOptions } from './options.ts';

export interface RemoveOptions {
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  readonly beside?: boolean;
  /** Says what would be removed. */
  readonly dryRun?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/** Removes what a deployment made, and waits until it is gone. What bears another's label stays. */
export async function removeDeployment(options: RemoveOptions): Promise<{ readonly removed: readonly string[] }> {
  const { kubeConfig, namespace, beside = false, dryRun = false, signal, onProgress } = options;
  const api = openApi(kubeConfig);
  const objects = (beside ? besideManifests : manifests)({ ...defaultOptions, namespace });
  return { removed: await removeObjects({ api, objects, dryRun, signal, onProgress }) };
}

export interface RemoveObjectsOptions {
  readonly api: Api;
  /** In the order in which they were applied; removed in the opposite one, webhook configurations before all. */
  readonly objects: readonly KubernetesObject[];
  readonly dryRun?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

const pollMs = 300;

/** Removes those objects that are ours. Titles of those that were there. */
export async function removeObjects(options: RemoveObjectsOptions): Promise<readonly string[]> {
  const { api, objects, dryRun = false, signal, onProgress } = options;
  const removed: string[] = [];
  const order = objects.toReversed();
  // First what would refuse pods once nobody answers for it.
  const isAsked = ({ kind = '' }: KubernetesObject) => kind.endsWith('WebhookConfiguration');
  for (const object of [...order.filter(isAsked), ...order.filter((each) => !isAsked(each))]) {
    const found = await api.read(object);
    if (found === undefined) continue;
    const title = titleOf(object);
    const why = isOurs(found) ? await inUse(api, object) : "is not Rekindle's";
    if (why !== undefined) {
      onProgress(`${title} left: ${why}`);
      continue;
    }
    removed.push(title);
    if (dryRun) continue;
    await api.remove(object);
    await gone(api, object, signal);
    onProgress(`${title} removed`);
  }
  return removed;
}

/** A namespace goes with all that is in it, so it stays where somebody else has put pods into it. */
async function inUse(api: Api, { kind, metadata }: KubernetesObject): Promise<string | undefined> {
  if (kind !== 'Namespace') return undefined;
  const pods = (await api.podsOf(metadata?.name ?? '')).filter((pod) => !isOurs(pod));
  return pods.length === 0 ? undefined : `it holds ${pods.map(titleOf).join(', ')}`;
}

async function gone(api: Api, object: KubernetesObject, signal: AbortSignal): Promise<void> {
  while ((await api.read(object)) !== undefined) {
    if (signal.aborted)
      throw new CannotDeploy(`${titleOf(object)} is still there`, 'look at its finalizers, then remove again');
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
}
