import { statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Absolute path of a program, as a shell would find it, or undefined if the PATH does not have it. */
export function programOnPath(name: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  return (env.PATH ?? '/usr/bin:/bin')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    const stat = statSync(path);
    return stat.isFile() && (stat.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}
