import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { BenchSeries } from '../../../reports/bench/record.ts';
import type { Environment } from '../../environment.ts';

/** The program of a command does not exist. The message is one sentence. */
export class NoSuchProgram extends Error {
  readonly code = 'NO_SUCH_PROGRAM';
}

/**
 * A command with the SHA-256 of each file that it names: its program, searched on the PATH, and files among its arguments, such as an
 * interpreter's script. Relative paths start from the working directory. @throws NoSuchProgram
 */
export function programOf(
  command: string,
  { cwd, env }: Pick<Environment, 'cwd' | 'env'>,
): NonNullable<BenchSeries['program']> {
  const words = command.trim().split(/\s+/).map(unquoted);
  const [name = '', ...args] = words;
  const program = locate(name, cwd, env.PATH ?? '');
  if (program === undefined) throw new NoSuchProgram(`no executable program ${JSON.stringify(name)}`);
  const files = [program, ...args.map((word) => resolve(cwd, word)).filter(isFile)];
  return {
    command: command.trim(),
    files: files.map((path) => ({ path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') })),
  };
}

const unquoted = (word: string): string => word.replace(/^(['"])(.*)\1$/, '$2');

function locate(name: string, cwd: string, path: string): string | undefined {
  const places = name.includes('/') ? [resolve(cwd, name)] : path.split(delimiter).map((folder) => join(folder, name));
  return places.find((file) => isFile(file) && isExecutable(file));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
