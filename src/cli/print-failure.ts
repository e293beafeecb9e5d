import { CannotRun } from '../../clusters/cluster.ts';
import type { Environment } from '../environment.ts';
import { ProfileMisfit } from '../profiles/profile-misfit.ts';
import { cannotRunFrom, firstFailure } from '../run/cannot-run-from.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { WrongArgument } from './options.ts';

/** Prints one sentence about what went wrong and whose fault it is, and returns the exit status. */
export function printFailure(thrown: unknown, { stderr, env }: Environment): ExitStatus {
  const error = firstFailure(thrown);
  if (error instanceof WrongArgument) {
    stderr.write(`rekindle: ${error.message}\n`);
    return exitStatus.usage;
  }
  const cannotRun = error instanceof CannotRun ? error : cannotRunFrom(error);
  if (cannotRun !== undefined) {
    for (const { what, remedy } of cannotRun.missing) stderr.write(`rekindle: cannot run here: ${what}: ${remedy}\n`);
    return exitStatus.cannotRun;
  }
  if (error instanceof ProfileMisfit) {
    stderr.write(`rekindle: inconclusive: ${error.message}\n`);
    return exitStatus.inconclusive;
  }
  const message = error instanceof Error ? error.message : String(error);
  const debug = env.DEBUG !== undefined && env.DEBUG !== '';
  const hint = debug ? '' : '; set DEBUG=1 to see where';
  stderr.write(`rekindle: internal error, which says nothing about the implementation: ${message}${hint}\n`);
  if (debug && thrown instanceof Error) stderr.write(`${stackOf(thrown)}\n`);
  return exitStatus.inconclusive;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
