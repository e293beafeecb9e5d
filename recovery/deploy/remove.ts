import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig, KubernetesObject } from '@kubernetes/client-node';
import { type Api, formatTitle, isOurs, openApi } from './api.ts';
import { CannotDeploy } from './errors.ts';
import { besideManifests, manifests } from './manifests.ts';
import { defaultOptions, furtherGates } from './options.ts';

export interface RemoveOptions {
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  readonly beside?: boolean;
  /** Only reports what would be removed. */
  readonly dryRun?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/** Removes the objects of a deployment and waits until they are gone. Foreign objects stay. */
export async function removeDeployment(options: RemoveOptions): Promise<{ readonly removed: readonly string[] }> {
  const { kubeConfig, namespace, beside = false, dryRun = false, signal, onProgress } = options;
  const api = openApi(kubeConfig);
  // Whether there is a keeper follows from the gates, which are not known here.
  const objects = (beside ? besideManifests : manifests)({ ...defaultOptions, namespace, furtherGates });
  return { removed: await removeObjects({ api, objects, dryRun, signal, onProgress }) };
}

export interface RemoveObjectsOptions {
  readonly api: Api;
  /** In the order of application. They are removed in the opposite order, but webhook configurations first. */
  readonly objects: readonly KubernetesObject[];
  readonly dryRun?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

const pollMs = 300;

export const isWebhookConfiguration = ({ kind = '' }: KubernetesObject): boolean =>
  kind.endsWith('WebhookConfiguration');

/** Removes those objects that Rekindle deployed, and returns their titles. */
export async function removeObjects(options: RemoveObjectsOptions): Promise<readonly string[]> {
  const { api, objects, dryRun = false, signal, onProgress } = options;
  const removed: string[] = [];
  const order = objects.toReversed();
  // Without its webhook a configuration would block pods.
  for (const object of [
    ...order.filter(isWebhookConfiguration),
    ...order.filter((each) => !isWebhookConfiguration(each)),
  ]) {
    const found = await api.read(object);
    if (found === undefined) continue;
    const title = formatTitle(object);
    const reason = isOurs(found) ? await useOf(api, object) : "is not Rekindle's";
    if (reason !== undefined) {
      onProgress(`${title} left: ${reason}`);
      continue;
    }
    removed.push(title);
    if (dryRun) continue;
    await api.remove(object);
    await awaitRemoval(api, object, signal);
    onProgress(`${title} removed`);
  }
  return removed;
}

/** Why a namespace must stay: it contains foreign pods, which would be deleted with it. */
async function useOf(api: Api, { kind, metadata }: KubernetesObject): Promise<string | undefined> {
  if (kind !== 'Namespace') return undefined;
  const pods = (await api.listPods(metadata?.name ?? '')).filter((pod) => !isOurs(pod));
  return pods.length === 0 ? undefined : `it holds ${pods.map(formatTitle).join(', ')}`;
}

async function awaitRemoval(api: Api, object: KubernetesObject, signal: AbortSignal): Promise<void> {
  while ((await api.read(object)) !== undefined) {
    if (signal.aborted)
      throw new CannotDeploy(`${formatTitle(object)} is still there`, 'look at its finalizers, then remove again');
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
}
