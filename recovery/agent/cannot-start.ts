import { formatError } from '../log.ts';

/** The machine or cluster does not meet a requirement. The message is one sentence with the remedy. Exit status 3. */
export class CannotStart extends Error {
  readonly code = 'CANNOT_START';
}

/** Converts a rejection to `CannotStart` and appends the remedy to its message. */
export async function orCannotStart<T>(start: () => Promise<T>, remedy: string): Promise<T> {
  try {
    return await start();
  } catch (error) {
    throw new CannotStart(`${formatError(error)}: ${remedy}`, { cause: error });
  }
}
