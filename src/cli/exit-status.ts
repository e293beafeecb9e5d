import type { Verdict } from '../timeline/record.ts';

/** Exit statuses of the command; scripts rely on them. */
export const exitStatus = {
  conformant: 0,
  notConformant: 1,
  usage: 2,
  cannotRun: 3,
  inconclusive: 4,
  leftovers: 5,
  partial: 6,
  interrupted: 130,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

export const statusForVerdict: Readonly<Record<Verdict, ExitStatus>> = {
  pass: exitStatus.conformant,
  fail: exitStatus.notConformant,
  inconclusive: exitStatus.inconclusive,
};

/** A finding about the implementation comes first, then what kept Rekindle from one, then what the user has to tidy up. */
const worstFirst: readonly ExitStatus[] = [1, 2, 3, 4, 5, 130];

export interface RunEnd {
  readonly status: ExitStatus;
  readonly leftovers: readonly string[];
  readonly interrupted: boolean;
}

/** The worst status of a run that ended in several ways at once. An interruption leaves any run inconclusive, so that adds nothing. */
export function statusFor({ status, leftovers, interrupted }: RunEnd): ExitStatus {
  const all: readonly ExitStatus[] = [
    ...(interrupted && status === exitStatus.inconclusive ? [] : [status]),
    ...(leftovers.length > 0 ? [exitStatus.leftovers] : []),
    ...(interrupted ? [exitStatus.interrupted] : []),
  ];
  return worstFirst.find((each) => all.includes(each)) ?? exitStatus.conformant;
}
