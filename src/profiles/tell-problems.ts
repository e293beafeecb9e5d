import { type BadProfile, formatPosition } from './bad-profile.ts';

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
