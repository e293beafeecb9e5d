import type { HistoryEvent } from '../../reports/record.ts';
import { type Consumer, whereOf } from './consumer.ts';

/** Something that says that a consumer can read again. */
export interface SuccessClaim {
  readonly at: number;
  readonly by: 'agent' | 'event';
  /** As a sentence tells it: `the agent's "recovered"`, `event FuseRecoverSucceed on Dataset default/demo`. */
  readonly what: string;
  /** `pod`: it names the consumer's pod. `dataset`: it names none, so it holds for every consumer. */
  readonly about: 'pod' | 'dataset';
}

/** The event's reason, as Fluid spells it. */
const succeeded = 'FuseRecoverSucceed';

/** What claims a recovery of the consumer, in order of time; claims about other pods are left out. */
export function successClaimsOf(history: readonly HistoryEvent[], consumer: Consumer): SuccessClaim[] {
  const where = whereOf(consumer);
  return history.flatMap((event): SuccessClaim[] => {
    if (event.kind === 'agent' && event.event === 'recovered' && event.where === where) {
      if (event.path !== undefined && event.path !== consumer.path) return [];
      return [{ at: event.at, by: 'agent', what: 'the agent’s "recovered"', about: 'pod' }];
    }
    if (event.kind !== 'event' || event.reason !== succeeded) return [];
    const { kind, namespace, name } = objectOf(event);
    if (namespace !== consumer.namespace) return [];
    const what = `event ${succeeded} on ${event.object}`;
    if (kind === 'Pod') return name === consumer.pod ? [{ at: event.at, by: 'event', what, about: 'pod' }] : [];
    if (hasWord(event.message, consumer.pod)) return [{ at: event.at, by: 'event', what, about: 'pod' }];
    return namesSomePod.test(event.message) ? [] : [{ at: event.at, by: 'event', what, about: 'dataset' }];
  });
}

type KubernetesEvent = Extract<HistoryEvent, { kind: 'event' }>;

/** `Pod default/demo-app`, as `kind namespace/name`. */
function objectOf({ object }: KubernetesEvent) {
  const [kind = '', namespace = '', name = ''] = object.split(/[ /]/);
  return { kind, namespace, name };
}

/** `pod default/other-app`, `pod "other-app"`, or a pod's UID outside of a path. */
const namesSomePod = /\bpod (?:[a-z0-9-]+\/[a-z0-9]|"|[0-9a-f]{8}-[0-9a-f]{4}-)/i;

const hasWord = (message: string, word: string) =>
  message.split(/[^a-z0-9.-]+/i).some((part) => part.replace(/[.]+$/, '') === word);
