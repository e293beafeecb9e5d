import type { Outcome } from '../verbs.ts';

/** What the command ends with; a contract with scripts. */
export const exitStatus = {
  conformant: 0,
  notConformant: 1,
  usage: 2,
  cannotRun: 3,
  inconclusive: 4,
  leftovers: 5,
  interrupted: 130,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

const ofVerdict = {
  pass: exitStatus.conformant,
  fail: exitStatus.notConformant,
  inconclusive: exitStatus.inconclusive,
} as const;

/** What stays behind counts more than how the run ended: somebody has to act on it. */
export function statusOf(
  { verdict, leftovers }: Pick<Outcome, 'verdict' | 'leftovers'>,
  interrupted: boolean,
): ExitStatus {
  if (leftovers.length > 0) return exitStatus.leftovers;
  return interrupted ? exitStatus.interrupted : ofVerdict[verdict];
}
