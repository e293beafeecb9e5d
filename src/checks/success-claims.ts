import type { HistoryEvent } from '../timeline/record.ts';
import { claimsSuccess } from '../timeline/success-event.ts';
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

/** What claims a recovery of the consumer, in order of time; claims about other pods are left out. */
export function successClaimsOf(history: readonly HistoryEvent[], consumer: Consumer): SuccessClaim[] {
  const where = whereOf(consumer);
  return history.flatMap((event): SuccessClaim[] => {
    if (event.kind === 'agent' && event.event === 'recovered' && event.where === where) {
      if (event.path !== undefined && event.path !== consumer.path) return [];
      return [{ at: event.at, by: 'agent', what: 'the agent’s "recovered"', about: 'pod' }];
    }
    if (event.kind !== 'event') return [];
    const about = claimsSuccess(event, `${consumer.namespace}/${consumer.pod}`);
    const what = `event ${event.reason} on ${event.object}`;
    return about === undefined ? [] : [{ at: event.at, by: 'event', what, about }];
  });
}
