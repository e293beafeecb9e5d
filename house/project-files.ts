import { execFileSync } from 'node:child_process';

/** Paths of the project's files from its root, those that are not yet committed included. */
export function projectFiles(pattern: RegExp): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'], {
    encoding: 'utf8',
  });
  const gone = new Set(execFileSync('git', ['ls-files', '--deleted'], { encoding: 'utf8' }).split('\n'));
  return listed.split('\n').filter((path) => pattern.test(path) && !gone.has(path));
}
