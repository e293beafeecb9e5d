import { execaSync } from 'execa';

/** Paths of the project's files from its root, those that are not yet committed included. */
export function projectFiles(pattern: RegExp): readonly string[] {
  const list = (...flags: readonly string[]) => execaSync('git', ['ls-files', ...flags], { lines: true }).stdout;
  const gone = new Set(list('--deleted'));
  return list('--cached', '--others', '--exclude-standard', '--deduplicate').filter(
    (path) => pattern.test(path) && !gone.has(path),
  );
}
