import { type Consumer, containerName } from './consumer.ts';
import type { EventOf } from './record.ts';
import type { Timeline } from './timeline.ts';

/** A statement that a consumer can read again. */
export interface SuccessClaim {
  readonly at: number;
  readonly by: 'agent' | 'event';
  /** `the agent’s "recovered"`, `event FuseRecoverSucceed on Dataset default/demo`. */
  readonly description: string;
  /** `pod`: it names the consumer's pod. `dataset`: it names no pod, so it holds for every consumer. */
  readonly scope: 'pod' | 'dataset';
}

/** The reason, as Fluid spells it. */
export const successReason = 'FuseRecoverSucceed';

/** What claims a recovery of the consumer, in order of time; claims about other pods are left out. */
export function findSuccessClaims(timeline: Timeline, consumer: Consumer): readonly SuccessClaim[] {
  const container = containerName(consumer);
  return timeline.events.flatMap((event): SuccessClaim[] => {
    if (event.kind === 'agent' && event.event === 'recovered' && event.where === container) {
      if (event.path !== undefined && event.path !== consumer.path) return [];
      return [{ at: event.at, by: 'agent', description: 'the agent’s "recovered"', scope: 'pod' }];
    }
    if (event.kind !== 'event') return [];
    const scope = claimsSuccess(event, `${consumer.namespace}/${consumer.pod}`);
    const description = `event ${event.reason} on ${event.object}`;
    return scope === undefined ? [] : [{ at: event.at, by: 'event', description, scope }];
  });
}

/** `pod default/other-app`, `pod "other-app"`, or a pod's UID outside of a path. */
const namesAnyPod = /\bpod (?:[a-z0-9-]+\/[a-z0-9]|"|[0-9a-f]{8}-[0-9a-f]{4}-)/i;

const hasWord = (message: string, word: string) =>
  message.split(/[^a-z0-9.-]+/i).some((part) => part.replace(/[.]+$/, '') === word);

/**
 * Whether a Kubernetes event claims that a pod (`<namespace>/<name>`) was recovered: `pod` if it names the pod, `dataset` if
 * it names none and so holds for each; undefined if it is about something else.
 */
export function claimsSuccess(
  { reason, object, message }: EventOf<'event'>,
  pod: string,
): SuccessClaim['scope'] | undefined {
  const [podNamespace, podName = ''] = pod.split('/');
  const [kind, namespace, name] = object.split(/[ /]/);
  if (reason !== successReason || namespace !== podNamespace) return undefined;
  if (kind === 'Pod') return name === podName ? 'pod' : undefined;
  if (hasWord(message, podName)) return 'pod';
  return namesAnyPod.test(message) ? undefined : 'dataset';
}
