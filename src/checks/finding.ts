import type { CheckRecord, Verdict } from '../timeline/record.ts';

/** What a check concludes: the verdict, and one sentence with the figures that led to it. */
export interface Finding {
  readonly verdict: Verdict;
  readonly says: string;
}

export const pass = (says: string): Finding => ({ verdict: 'pass', says });
export const fail = (says: string): Finding => ({ verdict: 'fail', says });
/** The history does not tell: it is empty, cut, or what was to be judged did not happen. */
export const inconclusive = (says: string): Finding => ({ verdict: 'inconclusive', says });

/** The first failure, otherwise the first that does not tell; undefined where all passed. */
export const firstThatDidNotPass = (findings: readonly Finding[]): Finding | undefined =>
  findings.find(({ verdict }) => verdict === 'fail') ?? findings.find(({ verdict }) => verdict === 'inconclusive');

export interface Title {
  /** Behaviour in the present tense, as it has to be. */
  readonly name: string;
  readonly claims: readonly string[];
}

export const concluded = ({ name, claims }: Title, { verdict, says }: Finding): CheckRecord => ({
  name,
  claims,
  verdict,
  says,
});
