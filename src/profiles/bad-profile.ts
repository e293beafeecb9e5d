export interface ProfileProblem {
  /** Line and column in the file, from 1, where it is about a place in it. */
  readonly line?: number;
  readonly column?: number;
  /** Names the field, and says what is accepted. */
  readonly says: string;
}

/** A profile that cannot be used. The message is one sentence about the first thing that is wrong. Status 2. */
export class BadProfile extends Error {
  readonly code = 'BAD_PROFILE';
  readonly profile: string;
  /** In the order of the file. */
  readonly problems: readonly [ProfileProblem, ...ProfileProblem[]];
  constructor(profile: string, problems: readonly [ProfileProblem, ...ProfileProblem[]], options?: ErrorOptions) {
    super(`${placeOf(profile, problems[0])}: ${problems[0].says}`, options);
    this.profile = profile;
    this.problems = problems;
  }
}

/** `my.yaml:7:3`, as compilers and editors have it. */
export function placeOf(profile: string, { line, column }: Pick<ProfileProblem, 'line' | 'column'>): string {
  return [profile, line, column].filter((part) => part !== undefined).join(':');
}
