/** The user asked for something that does not exist or cannot be. One sentence with its name and the accepted values. Status 2. */
export class UsageError extends Error {
  readonly code = 'USAGE';
}

/** `unknown fault "x": accepted are a, b`. */
export function unknown(what: string, given: string, accepted: readonly string[]): UsageError {
  return new UsageError(`unknown ${what} ${JSON.stringify(given)}: accepted are ${accepted.join(', ')}`);
}
