import { type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from './usage-error.ts';

/** Feature files and folders as absolute paths, with their line numbers (`a.feature:12:40`) kept. */
export function featurePaths(paths: readonly string[], cwd: string): readonly string[] {
  return paths.map((given) => {
    const lines = /(?::\d+)*$/.exec(given)?.[0] ?? '';
    const path = resolve(cwd, lines === '' ? given : given.slice(0, -lines.length));
    const stat = existing(path);
    const accepted = 'accepted are .feature files, with :LINE if need be, and folders of them';
    if (stat === undefined) throw new UsageError(`no features at ${JSON.stringify(given)}: ${accepted}`);
    if (stat.isDirectory() ? lines !== '' : !path.endsWith('.feature')) {
      throw new UsageError(`${JSON.stringify(given)} is no feature: ${accepted}`);
    }
    return path + lines;
  });
}

function existing(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
