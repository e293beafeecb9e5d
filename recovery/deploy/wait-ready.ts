import { setTimeout as sleep } from 'node:timers/promises';
import type { CoreV1Event, KubernetesObject, V1Node, V1Pod } from '@kubernetes/client-node';
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

/**
 * Resolves when all objects are ready, or all but the pods on nodes that are not ready themselves, with a line for each object that serves
 * without being complete. At the end of the timeout every object must serve at least.
 * Rejects with `CannotDeploy` and the last observed state.
 */
export async function waitReady({
  api,
  objects,
  timeoutMs,
  onProgress,
  signal,
}: WaitOptions): Promise<readonly string[]> {
  const waiting = new Set(objects.filter(({ kind = '' }) => awaitedKinds.includes(kind)));
  const latest = new Map<KubernetesObject, string>();
  const report = (object: KubernetesObject, text: string) => {
    if (latest.get(object) !== text) onProgress(`${formatTitle(object)} ${text}`);
    latest.set(object, text);
  };
  const timeout = AbortSignal.timeout(timeoutMs);
  const list = (some: Iterable<KubernetesObject>) =>
    [...some].map((object) => `${formatTitle(object)}: ${latest.get(object)}`);
  for (;;) {
    const isLate = timeout.aborted;
    const serving = new Set<KubernetesObject>();
    const settled = new Set<KubernetesObject>();
    for (const object of waiting) {
      const readiness = assessReadiness(await api.read(object));
      if (readiness.state === 'ready') {
        report(object, 'ready');
        waiting.delete(object);
        continue;
      }
      const { problems, isSettled, missingImage } = await findProblems(api, object, { readiness, isLate });
      report(object, [readiness.reason, ...problems.map(({ message }) => message)].join('; '));
      if (readiness.state === 'serving') serving.add(object);
      if (isSettled) settled.add(object);
      if (missingImage !== undefined)
        throw new CannotDeploy(missingImage.message, imageRemedy(missingImage.image ?? ''));
    }
    if ([...waiting].every((object) => serving.has(object) && (isLate || settled.has(object)))) return list(waiting);
    if (isLate) {
      const what = `not ready after ${timeoutMs / 1000} s: ${list(waiting).join(', ')}`;
      throw new CannotDeploy(what, 'do what the messages ask for, then run it again, or wait longer with --timeout');
    }
    await sleep(pollMs, undefined, { signal });
  }
}

/**
 * Resolves once the API server has reached the webhook, which it may not for some seconds after its pods are ready: Services and network
 * follow later. Rejects with `CannotDeploy` at the end of the timeout.
 */
export async function waitForWebhook({
  api,
  timeoutMs,
  onProgress,
  signal,
}: Omit<WaitOptions, 'objects'>): Promise<void> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let latest: string | undefined;
  for (;;) {
    const isLate = timeout.aborted;
    const reason = await api.askWebhook();
    if (reason === undefined) return onProgress('the API server reaches the webhook');
    if (isLate)
      throw new CannotDeploy(
        `the API server does not reach the webhook after ${timeoutMs / 1000} s: ${reason}`,
        'name a port that it reaches with --webhook-port, or use the network of the nodes with --webhook-host-network; then run it again',
      );
    if (reason !== latest) onProgress(`waiting until the API server reaches the webhook: ${reason}`);
    latest = reason;
    await sleep(pollMs, undefined, { signal });
  }
}

const imagesOf = (object: KubernetesObject): readonly unknown[] =>
  listAt(objectAt(object, 'spec', 'template', 'spec'), 'containers').map(({ image }) => image);

const imageRemedy = (image: string) =>
  `load ${image} into the nodes (kind load docker-image ${image}), or push it where they can pull it and name it with --image; then run it again`;

/** `serving`: at least one pod is ready. `missing`: how many pods there should be besides those that are ready. */
type Readiness =
  | { readonly state: 'ready' }
  | { readonly state: 'serving' | 'not-serving'; readonly reason: string; readonly missing: number };

/** Whether at least one pod of a DaemonSet or Deployment is ready. */
export async function isServing({ read }: Pick<Api, 'read'>, object: KubernetesObject): Promise<boolean> {
  return assessReadiness(await read(object)).state !== 'not-serving';
}

const notReady = (reason: string): Readiness => ({ state: 'not-serving', reason, missing: 0 });

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
  const state = done > 0 ? 'serving' : 'not-serving';
  if (done < all) return { state, reason: `${done} of ${all} ready`, missing: all - done };
  return old > 0 ? { state, reason: 'ending old pods', missing: 0 } : { state: 'ready' };
}

function assessTrust(object: KubernetesObject): Readiness {
  const untrusted = listAt(object, 'webhooks').some(
    (webhook) => !textAt(objectAt(webhook, 'clientConfig'), 'caBundle'),
  );
  return untrusted ? notReady('no certificate yet') : { state: 'ready' };
}

const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** Something that keeps a pod from being ready. */
interface Problem {
  readonly message: string;
  /** An image that cannot be pulled, so that waiting longer will not help. */
  readonly image?: string;
}

/** `isSettled`: all that is missing are pods on nodes that are not ready, for which it makes no sense to wait. */
interface Problems {
  readonly problems: readonly Problem[];
  readonly isSettled: boolean;
  /** Set if no pod can pull its image. */
  readonly missingImage?: Problem;
}

/**
 * What keeps an object from being ready: its pods, the nodes that they are on, and if there are too few pods, the events of those that
 * should have created them. `isLate`: the agents that run are asked, too, what they wait for.
 */
async function findProblems(
  api: Api,
  object: KubernetesObject,
  { readiness, isLate }: { readonly readiness: Exclude<Readiness, { state: 'ready' }>; readonly isLate: boolean },
): Promise<Problems> {
  const { kind = '', metadata } = object;
  if (!kindsWithPods.includes(kind)) return { problems: [], isSettled: false };
  const { namespace = '', name = '' } = metadata ?? {};
  const pods = await api.listPods(namespace, name);
  const unready = pods.filter((pod) => !isReady(pod));
  const nodes = unready.length === 0 ? [] : await api.listNodes();
  const down = nodes.filter((node) => !isReady(node)).map(({ metadata }) => metadata?.name);
  const [lost, others] = [true, false].map((isLost) =>
    unready.filter(({ spec }) => down.includes(spec?.nodeName) === isLost),
  ) as [V1Pod[], V1Pod[]];
  // Pods with an earlier image are being replaced.
  const current = pods.filter(({ spec }) => spec?.containers.some(({ image }) => imagesOf(object).includes(image)));
  const withoutImage = current.map((pod) => podProblems(pod).find(({ image }) => image !== undefined));
  const missingImage = withoutImage.includes(undefined) ? undefined : withoutImage[0];
  const isShort = readiness.missing > unready.length;
  const events = isShort || isLate ? await api.listWarnings(namespace) : [];
  const asked = isLate ? await Promise.all(others.filter(isRunning).map((pod) => askPod(api, pod))) : [];
  return {
    problems: [
      ...lost.map(({ spec }) => ({ message: `node ${spec?.nodeName} is not ready` })),
      ...others.flatMap(podProblems),
      ...asked.flat(),
      ...latestMessages(events.flatMap((event) => eventMessage(event, { kind, name, pods }))).map((message) => ({
        message,
      })),
    ],
    isSettled: readiness.missing > 0 && readiness.missing === lost.length,
    ...(missingImage !== undefined && { missingImage }),
  };
}

export function isReady({ status }: V1Pod | V1Node): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

const isRunning = ({ status }: V1Pod): boolean => status?.phase === 'Running';

/** What an agent waits for: the reasons of its readiness probe, which the kubelet does not pass on. */
async function askPod(api: Api, pod: V1Pod): Promise<readonly Problem[]> {
  const answer = await api.askPod(pod);
  return answer === undefined ? [] : [{ message: `${location(pod)}: ${answer.trim().replaceAll('\n', ', ')}` }];
}

/** Empty for an event of another object. Pods are created by the DaemonSet, or by a ReplicaSet of the Deployment. */
function eventMessage(
  { involvedObject, reason, message }: CoreV1Event,
  { kind, name, pods }: { readonly kind: string; readonly name: string; readonly pods: readonly V1Pod[] },
): readonly string[] {
  const { kind: of = '', name: named = '' } = involvedObject;
  const isOurs =
    (of === kind && named === name) ||
    (of === 'ReplicaSet' && named.startsWith(`${name}-`)) ||
    // Events outlive their pods.
    (of === 'Pod' && pods.some(({ metadata }) => metadata?.name === named));
  return isOurs ? [`${reason}: ${message}`] : [];
}

const maximumMessages = 3;
const maximumLength = 500;

/** The first of those that differ in more than the name of a pod. The event of each attempt to create one names another. */
function latestMessages(messages: readonly string[]): readonly string[] {
  const sentence = (message: string) =>
    message.replace('(combined from similar events): ', '').replaceAll(/pods? "[^"]*"/g, 'a pod');
  const cut = (text: string) => (text.length > maximumLength ? `${text.slice(0, maximumLength)}...` : text);
  return [...new Set(messages.map(sentence))].slice(0, maximumMessages).map(cut);
}

const imageReasons = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName'];

/** The image as in the pod's spec; its status may use another name. */
const specImage = ({ spec }: V1Pod, name: string) => spec?.containers.find((each) => each.name === name)?.image ?? '';

/** `POD on NODE`. */
function location({ metadata, spec }: V1Pod): string {
  const name = metadata?.name ?? '';
  return spec?.nodeName === undefined ? name : `${name} on ${spec.nodeName}`;
}

/** Empty for a pod that is merely starting. */
function podProblems(pod: V1Pod): readonly Problem[] {
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  const { reason, message } = pod.status ?? {};
  return [
    ...(unscheduled?.message === undefined ? [] : [{ message: `${location(pod)}: ${unscheduled.message}` }]),
    ...(reason === undefined ? [] : [{ message: `${location(pod)}: ${reason}: ${message ?? ''}` }]),
    ...(pod.status?.containerStatuses ?? []).flatMap((container): Problem[] => {
      const { waiting } = container.state ?? {};
      if (waiting?.reason === undefined || waiting.reason === 'ContainerCreating') return [];
      const last = container.lastState?.terminated;
      const ended =
        last === undefined ? '' : `, ended with ${last.exitCode}${last.message ? `: ${last.message.trim()}` : ''}`;
      const text = `${location(pod)}: ${waiting.reason}${waiting.message === undefined ? '' : `: ${waiting.message}`}${ended}`;
      return [
        { message: text, ...(imageReasons.includes(waiting.reason) ? { image: specImage(pod, container.name) } : {}) },
      ];
    }),
  ];
}
