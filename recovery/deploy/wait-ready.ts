import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import { listAt, objectAt, textAt } from '../kubernetes/json.ts';
import { type Api, formatTitle } from './api.ts';
import { CannotDeploy } from './errors.ts';

export interface WaitOptions {
  readonly api: Api;
  readonly objects: readonly KubernetesObject[];
  readonly timeoutMs: number;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

const pollMs = 300;
const awaitedKinds = ['DaemonSet', 'Deployment', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];
const kindsWithPods = ['DaemonSet', 'Deployment'];

/** Resolves when all objects are ready; rejects with `CannotDeploy` and the last observed state. */
export async function waitReady({ api, objects, timeoutMs, onProgress, signal }: WaitOptions): Promise<void> {
  const waiting = new Set(objects.filter(({ kind = '' }) => awaitedKinds.includes(kind)));
  const latest = new Map<KubernetesObject, string>();
  const report = (object: KubernetesObject, text: string) => {
    if (latest.get(object) !== text) onProgress(`${formatTitle(object)} ${text}`);
    latest.set(object, text);
  };
  const timeout = AbortSignal.timeout(timeoutMs);
  for (;;) {
    for (const object of waiting) {
      const readiness = assessReadiness(await api.read(object));
      const problems = readiness.ready ? [] : await podProblems(api, object);
      report(
        object,
        readiness.ready ? 'ready' : [readiness.reason, ...problems.map(({ message }) => message)].join('; '),
      );
      if (readiness.ready) waiting.delete(object);
      // Pods with an earlier image are being replaced.
      const missing = problems.find(({ image }) => image !== undefined && imagesOf(object).includes(image));
      if (missing !== undefined) throw new CannotDeploy(missing.message, imageRemedy(missing.image ?? ''));
    }
    if (waiting.size === 0) return;
    if (timeout.aborted) {
      const last = [...waiting].map((object) => `${formatTitle(object)}: ${latest.get(object)}`).join(', ');
      const remedy = 'look at kubectl describe and kubectl logs of its pods, or wait longer with --timeout';
      throw new CannotDeploy(`not ready after ${timeoutMs / 1000} s: ${last}`, remedy);
    }
    await sleep(pollMs, undefined, { signal });
  }
}

async function podProblems(api: Api, { kind = '', metadata }: KubernetesObject): Promise<readonly PodProblem[]> {
  if (!kindsWithPods.includes(kind)) return [];
  const pods = await api.listPods(metadata?.namespace ?? '', metadata?.name ?? '');
  return pods.flatMap(findProblems);
}

function imagesOf(object: KubernetesObject): readonly unknown[] {
  return listAt(objectAt(object, 'spec', 'template', 'spec'), 'containers').map(({ image }) => image);
}

const imageRemedy = (image: string) =>
  `load ${image} into the nodes (kind load docker-image ${image}), or push it where they can pull it and name it with --image`;

type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

const notReady = (reason: string): Readiness => ({ ready: false, reason });

/** Whether all pods of a DaemonSet or Deployment are ready and of its latest generation, or whether a webhook is trusted. */
function assessReadiness(object: KubernetesObject | undefined): Readiness {
  if (object === undefined) return notReady('not there yet');
  const { kind, metadata } = object;
  if (kind?.endsWith('WebhookConfiguration')) return assessTrust(object);
  const status = objectAt(object, 'status');
  if (status.observedGeneration !== metadata?.generation) return notReady('not looked at yet');
  const [desired, updated, ready] =
    kind === 'DaemonSet'
      ? [status.desiredNumberScheduled, status.updatedNumberScheduled, status.numberReady]
      : [objectAt(object, 'spec').replicas, status.updatedReplicas, status.readyReplicas];
  const all = count(desired);
  const done = Math.min(count(updated), count(ready));
  const old = kind === 'Deployment' ? count(status.replicas) - count(updated) : 0;
  if (done < all) return notReady(`${done} of ${all} ready`);
  return old > 0 ? notReady('ending old pods') : { ready: true };
}

function assessTrust(object: KubernetesObject): Readiness {
  const untrusted = listAt(object, 'webhooks').some(
    (webhook) => !textAt(objectAt(webhook, 'clientConfig'), 'caBundle'),
  );
  return untrusted ? notReady('no certificate yet') : { ready: true };
}

const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** Something that keeps a pod from being ready. */
interface PodProblem {
  readonly message: string;
  /** An image that cannot be pulled, so that waiting longer will not help. */
  readonly image?: string;
}

const imageReasons = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'];

/** The image as in the pod's spec; its status may use another name. */
const specImage = ({ spec }: V1Pod, name: string) => spec?.containers.find((each) => each.name === name)?.image ?? '';

/** Empty for a pod that is merely starting. */
function findProblems(pod: V1Pod): readonly PodProblem[] {
  const name = pod.metadata?.name ?? '';
  const node = pod.spec?.nodeName;
  const location = node === undefined ? name : `${name} on ${node}`;
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  const { reason, message } = pod.status ?? {};
  return [
    ...(unscheduled?.message === undefined ? [] : [{ message: `${name}: ${unscheduled.message}` }]),
    ...(reason === undefined ? [] : [{ message: `${location}: ${reason}: ${message ?? ''}` }]),
    ...(pod.status?.containerStatuses ?? []).flatMap((container): PodProblem[] => {
      const { waiting } = container.state ?? {};
      if (waiting?.reason === undefined || waiting.reason === 'ContainerCreating') return [];
      const last = container.lastState?.terminated;
      const ended =
        last === undefined ? '' : `, ended with ${last.exitCode}${last.message ? `: ${last.message.trim()}` : ''}`;
      const message = `${location}: ${waiting.reason}${waiting.message === undefined ? '' : `: ${waiting.message}`}${ended}`;
      return [{ message, ...(imageReasons.includes(waiting.reason) ? { image: specImage(pod, container.name) } : {}) }];
    }),
  ];
}
