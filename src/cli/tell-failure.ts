import { CannotRun } from '../../clusters/cluster.ts';
import type { Environment } from '../environment.ts';
import { cannotRunFrom } from '../run/cannot-run-from.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { UsageError } from './usage-error.ts';

/** Says in a sentence what went wrong and whose it is, and returns the exit status for it. */
export function tellFailure(error: unknown, { stderr, env }: Environment): ExitStatus {
  if (error instanceof UsageError) {
    stderr.write(`rekindle: ${error.message}\n`);
    return exitStatus.usage;
  }
  const cannotRun = error instanceof CannotRun ? error : cannotRunFrom(error);
  if (cannotRun !== undefined) {
    for (const { what, remedy } of cannotRun.missing) stderr.write(`rekindle: cannot run here: ${what}: ${remedy}\n`);
    return exitStatus.cannotRun;
  }
  const message = error instanceof Error ? error.message : String(error);
  const debug = env.DEBUG !== undefined && env.DEBUG !== '';
  const hint = debug ? '' : '; DEBUG=1 shows where';
  stderr.write(
    `rekindle: broke by a fault of its own, which says nothing about the implementation: ${message}${hint}\n`,
  );
  if (debug && error instanceof Error) stderr.write(`${stackOf(error)}\n`);
  return exitStatus.inconclusive;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
