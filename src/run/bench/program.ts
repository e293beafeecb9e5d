import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { findOnPath } from '../../../clusters/sandbox/foreign-agent.ts';
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
  const program = findOnPath(name, { cwd, PATH: env.PATH });
  if (program === undefined) throw new NoSuchProgram(`no executable program ${JSON.stringify(name)}`);
  const files = [program, ...args.map((word) => resolve(cwd, word)).filter(isFile)];
  return {
    command: command.trim(),
    files: files.map((path) => ({ path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') })),
  };
}

const unquoted = (word: string): string => word.replace(/^(['"])(.*)\1$/, '$2');

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
