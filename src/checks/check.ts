import type { CheckRecord, Verdict } from '../timeline/record.ts';

/** The verdict of a check, and one sentence with the figures that led to it. */
export interface CheckResult {
  readonly verdict: Verdict;
  readonly sentence: string;
}

export const pass = (sentence: string): CheckResult => ({ verdict: 'pass', sentence });
export const fail = (sentence: string): CheckResult => ({ verdict: 'fail', sentence });
/** The timeline does not decide it: it is empty or cut, or the event that the check judges did not happen. */
export const inconclusive = (sentence: string): CheckResult => ({ verdict: 'inconclusive', sentence });

/** The first failure, otherwise the first that is inconclusive; undefined if all passed. */
export const firstNotPassed = (results: readonly CheckResult[]): CheckResult | undefined =>
  results.find(({ verdict }) => verdict === 'fail') ?? results.find(({ verdict }) => verdict === 'inconclusive');

export interface CheckTitle {
  /** The required behaviour, in the present tense. */
  readonly name: string;
  readonly claims: readonly string[];
}

export const recordCheck = ({ name, claims }: CheckTitle, { verdict, sentence }: CheckResult): CheckRecord => ({
  name,
  claims,
  verdict,
  says: sentence,
});

/** A check as a function from what it judges to its record. */
export const defineCheck =
  <Inputs extends readonly unknown[]>(title: CheckTitle, judge: (...inputs: Inputs) => CheckResult) =>
  (...inputs: Inputs): CheckRecord =>
    recordCheck(title, judge(...inputs));

/** The sentence of an inconclusive check if a timeline has no crash. */
export const noCrash = 'the history has no fault that ended a daemon or disturbed the pod';
