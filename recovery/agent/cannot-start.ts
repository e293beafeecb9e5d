import { formatError } from './log.ts';

/** This machine or cluster lacks something: one sentence with the remedy. Exit status 3. */
export class CannotStart extends Error {
  readonly code = 'CANNOT_START';
}

/** What rejects does so with `CannotStart`, and the remedy after its own words. */
export async function orCannotStart<T>(start: () => Promise<T>, remedy: string): Promise<T> {
  try {
    return await start();
  } catch (error) {
    throw new CannotStart(`${formatError(error)}: ${remedy}`, { cause: error });
  }
}
