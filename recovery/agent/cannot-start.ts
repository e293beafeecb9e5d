/** This machine or cluster lacks something: one sentence with the remedy. Exit status 3. */
export class CannotStart extends Error {
  readonly code = 'CANNOT_START';
}
