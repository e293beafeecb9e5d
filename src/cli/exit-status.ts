import type { Outcome } from '../verbs.ts';

/** Exit statuses of the command; scripts rely on them. */
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

const statusForVerdict = {
  pass: exitStatus.conformant,
  fail: exitStatus.notConformant,
  inconclusive: exitStatus.inconclusive,
} as const;

/** Leftovers take precedence over the verdict, because the user has to act on them. */
export function statusFor(
  { verdict, leftovers }: Pick<Outcome, 'verdict' | 'leftovers'>,
  interrupted: boolean,
): ExitStatus {
  if (leftovers.length > 0) return exitStatus.leftovers;
  return interrupted ? exitStatus.interrupted : statusForVerdict[verdict];
}
