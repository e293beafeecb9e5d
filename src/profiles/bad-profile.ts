export interface ProfileProblem {
  /** Line and column in the file, from 1, if the problem has a position. */
  readonly line?: number;
  readonly column?: number;
  /** Names the field and the accepted values. */
  readonly says: string;
}

/** A profile that cannot be used. The message describes the first problem. Exit status 2. */
export class BadProfile extends Error {
  readonly code = 'BAD_PROFILE';
  readonly profile: string;
  /** Problems in the order of the file. */
  readonly problems: readonly [ProfileProblem, ...ProfileProblem[]];
  constructor(profile: string, problems: readonly [ProfileProblem, ...ProfileProblem[]], options?: ErrorOptions) {
    super(`${formatPosition(profile, problems[0])}: ${problems[0].says}`, options);
    this.profile = profile;
    this.problems = problems;
  }
}

/** Formats a position as compilers and editors do: `my.yaml:7:3`. */
export function formatPosition(profile: string, { line, column }: Pick<ProfileProblem, 'line' | 'column'>): string {
  return [profile, line, column].filter((part) => part !== undefined).join(':');
}
