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

/** Formats all problems of a profile for people, each with its line of the file and a mark below the position. */
export function formatProblems({ profile, problems }: BadProfile, yaml: string): string {
  const source = yaml.split('\n');
  const paragraphs = problems.map((problem) => {
    const sentence = `${formatPosition(profile, problem)}: ${problem.says}\n`;
    const { line, column } = problem;
    const text = line === undefined ? undefined : source[line - 1];
    if (line === undefined || text === undefined) return sentence;
    const margin = String(line).padStart(5);
    const mark = column === undefined ? '' : `${' '.repeat(margin.length)} | ${' '.repeat(column - 1)}^\n`;
    return `${sentence}${margin} | ${text}\n${mark}`;
  });
  return paragraphs.join('');
}
