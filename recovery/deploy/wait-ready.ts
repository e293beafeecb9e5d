import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import { listAt, objectAt } from '../kubernetes/json.ts';
import { type Api, titleOf } from './api.ts';
import { CannotDeploy } from './cannot-deploy.ts';
import { readinessOf, type Trouble, troubleOf } from './readiness.ts';

export interface WaitOptions {
  readonly api: Api;
  /** What was applied. */
  readonly objects: readonly KubernetesObject[];
  readonly timeoutMs: number;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

const pollMs = 300;
const waitedFor = ['DaemonSet', 'Deployment', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];
const withPods = ['DaemonSet', 'Deployment'];

/** Resolves when all is ready; rejects with `CannotDeploy` and what was last seen. */
export async function waitReady({ api, objects, timeoutMs, onProgress, signal }: WaitOptions): Promise<void> {
  const waiting = new Set(objects.filter(({ kind = '' }) => waitedFor.includes(kind)));
  const told = new Map<KubernetesObject, string>();
  const tell = (object: KubernetesObject, text: string) => {
    if (told.get(object) !== text) onProgress(`${titleOf(object)} ${text}`);
    told.set(object, text);
  };
  const end = AbortSignal.timeout(timeoutMs);
  for (;;) {
    for (const object of waiting) {
      const readiness = readinessOf(await api.read(object));
      const troubles = readiness.ready ? [] : await troublesOf(api, object);
      tell(object, readiness.ready ? 'ready' : [readiness.why, ...troubles.map(({ says }) => says)].join('; '));
      if (readiness.ready) waiting.delete(object);
      // A pod of the former image is on its way out.
      const missing = troubles.find(({ image }) => image !== undefined && imagesOf(object).includes(image));
      if (missing !== undefined) throw new CannotDeploy(missing.says, imageRemedy(missing.image ?? ''));
    }
    if (waiting.size === 0) return;
    if (end.aborted) {
      const last = [...waiting].map((object) => `${titleOf(object)}: ${told.get(object)}`).join(', ');
      const remedy = 'look at kubectl describe and kubectl logs of its pods, or wait longer with --timeout';
      throw new CannotDeploy(`not ready after ${timeoutMs / 1000} s: ${last}`, remedy);
    }
    await sleep(pollMs, undefined, { signal });
  }
}

async function troublesOf(api: Api, { kind = '', metadata }: KubernetesObject): Promise<readonly Trouble[]> {
  if (!withPods.includes(kind)) return [];
  const pods = await api.podsOf(metadata?.namespace ?? '', metadata?.name ?? '');
  return pods.flatMap(troubleOf);
}

function imagesOf(object: KubernetesObject): readonly unknown[] {
  return listAt(objectAt(object, 'spec', 'template', 'spec'), 'containers').map(({ image }) => image);
}

const imageRemedy = (image: string) =>
  `load ${image} into the nodes (kind load docker-image ${image}), or push it where they can pull it and name it with --image`;
