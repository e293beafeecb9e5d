import type { CheckRecord, Verdict } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';

/** The verdict of a check, and one sentence with the figures that led to it. */
export interface CheckResult {
  readonly verdict: Verdict;
  readonly sentence: string;
  /** Something took too long, or too little happened in its time, as it may because of others that use the processors. */
  readonly isTooSlow?: true;
}

export const pass = (sentence: string): CheckResult => ({ verdict: 'pass', sentence });
export const fail = (sentence: string): CheckResult => ({ verdict: 'fail', sentence });
/** The timeline does not decide it: it is empty or cut, or the event that the check judges did not happen. */
export const inconclusive = (sentence: string): CheckResult => ({ verdict: 'inconclusive', sentence });

/** A failure that may be due to others that use the processors. */
export const miss = (sentence: string): CheckResult => ({ ...fail(sentence), isTooSlow: true });
/** The same, if it is known that the machine was busy. `late`: how late the probe was. */
export const tooBusy = (late: string, sentence: string): CheckResult => ({
  ...inconclusive(`the machine was too busy to tell: the probe was late by ${late}, and ${sentence}`),
  isTooSlow: true,
});

/** Too little happened in the time to tell. */
export const tooShort = (sentence: string): CheckResult => ({ ...inconclusive(sentence), isTooSlow: true });

/** The first failure, otherwise the first that is inconclusive; undefined if all passed. */
export const firstNotPassed = (results: readonly CheckResult[]): CheckResult | undefined =>
  results.find(({ verdict }) => verdict === 'fail') ?? results.find(({ verdict }) => verdict === 'inconclusive');

export interface CheckTitle<Inputs extends readonly unknown[] = readonly []> {
  /** The required behaviour, in the present tense. Stored runs refer to their checks by it. */
  readonly name: string;
  /** Claims of the document; a function if they depend on the scenario. */
  readonly claims: readonly string[] | ((...inputs: Inputs) => readonly string[]);
}

/** The record of a conclusion from something that was read at this moment, which cannot be judged again. */
export const recordCheck = (
  { name, claims }: { readonly name: string; readonly claims: readonly string[] },
  { verdict, sentence, isTooSlow }: CheckResult,
): CheckRecord => ({ name, claims, verdict, says: sentence, ...(isTooSlow && { isTooSlow }) });

/** A check as a function from what it judges to its record. */
export interface Check<Inputs extends readonly unknown[] = readonly never[]> {
  (...inputs: Inputs): CheckRecord;
  readonly title: CheckTitle<Inputs>;
}

/**
 * Defines a check. The record keeps its inputs, which must be JSON except for a timeline in first place, so that `rekindle judge`
 * can run it again over the stored events.
 */
export function defineCheck<Inputs extends readonly unknown[]>(
  title: CheckTitle<Inputs>,
  judge: (...inputs: Inputs) => CheckResult,
): Check<Inputs> {
  const check = (...inputs: Inputs): CheckRecord => {
    const claims = typeof title.claims === 'function' ? title.claims(...inputs) : title.claims;
    const [first, ...rest]: readonly unknown[] = inputs;
    const judged = first instanceof Timeline ? { inputs: rest, events: first.events.length } : { inputs };
    return { ...recordCheck({ name: title.name, claims }, judge(...inputs)), ...judged };
  };
  return Object.assign(check, { title });
}

/** The sentence of an inconclusive check if a timeline has no crash. */
export const noCrash = 'the history has no fault that ended a daemon or disturbed the pod';
