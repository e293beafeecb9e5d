import { type BadProfile, placeOf } from './bad-profile.ts';

/** All that is wrong with a profile, each with the line of the file and a mark below the place, for a person to read. */
export function tellProblems({ profile, problems }: BadProfile, yaml: string): string {
  const source = yaml.split('\n');
  const told = problems.map((problem) => {
    const sentence = `${placeOf(profile, problem)}: ${problem.says}\n`;
    const { line, column } = problem;
    const text = line === undefined ? undefined : source[line - 1];
    if (line === undefined || text === undefined) return sentence;
    const margin = String(line).padStart(5);
    const mark = column === undefined ? '' : `${' '.repeat(margin.length)} | ${' '.repeat(column - 1)}^\n`;
    return `${sentence}${margin} | ${text}\n${mark}`;
  });
  return told.join('');
}
