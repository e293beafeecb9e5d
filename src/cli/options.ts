import { mkdirSync, mkdtempSync, rmdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import parseTagExpression from '@cucumber/tag-expressions';
import { InvalidArgumentError, Option } from 'commander';
import { foreignDaemons } from '../../clusters/cluster.ts';
import { isNormalised } from '../../recovery/csi/volume-source.ts';
import type { Profile } from '../profiles/profile.ts';
import { claims } from '../timeline/claims.ts';
import { parseDuration } from '../timeline/duration.ts';

/** A mistake in the command line, exit status 2. The message is one sentence that names the argument and the accepted values. */
export class WrongArgument extends Error {
  readonly code = 'USAGE';
}

/** `unknown fault "x": accepted are a, b`. */
export function unknown(what: string, given: string, accepted: readonly string[]): WrongArgument {
  return new WrongArgument(`unknown ${what} ${JSON.stringify(given)}: accepted are ${accepted.join(', ')}`);
}

/** A parser for commander, which completes the message with the option and the value. */
export const wholeNumber =
  (from: number, to: number) =>
  (text: string): number => {
    const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= from && number <= to) return number;
    throw new InvalidArgumentError(`Accepted are whole numbers from ${from} to ${to}.`);
  };

export const largestSeed = 2 ** 32 - 1;
export const parseSeed = wholeNumber(0, largestSeed);

/** Parses a Kubernetes CPU quantity (`200m`, `0.5`) into thousandths of a core; at least 10. */
export function parseCpu(text: string): number {
  const match = /^(\d{1,5})m$|^(\d{1,2}(?:\.\d{1,3})?)$/.exec(text);
  const millis = match ? Number(match[1] ?? Number(match[2]) * 1000) : 0;
  if (millis >= 10) return millis;
  throw new InvalidArgumentError('Accepted are 10m and more, as in 200m or 0.5.');
}

/** A directory of a node, without trailing slashes. */
export function parsePath(text: string): string {
  const path = text.replace(/\/+$/, '');
  if (isNormalised(path)) return path;
  throw new InvalidArgumentError('Accepted are absolute paths without ".", ".." and doubled slashes, other than /.');
}

/** Parses `0`, `250ms`, `5s` or `2m` into milliseconds. */
export function parseTime(text: string): number {
  const milliseconds = text === '0' ? 0 : parseDuration(text);
  if (milliseconds !== undefined) return milliseconds;
  throw new InvalidArgumentError('Accepted are times, as 0, 250ms, 5s or 2m.');
}

/** Parses a time, or a number of seconds, into milliseconds; at least a second. */
export function parsePeriod(text: string): number {
  const milliseconds = /^\d{1,5}$/.test(text) ? Number(text) * 1000 : (parseDuration(text) ?? 0);
  if (milliseconds >= 1000) return milliseconds;
  throw new InvalidArgumentError('Accepted are times of a second and more, as 5s or 2m.');
}

/**
 * Checks a tag expression (`@C2 and not (@L1 or @L4)`) against the tags of the scenarios, and returns it unchanged. A tag that
 * no scenario has would select nothing, and the run would pass.
 * @throws WrongArgument for a syntax error and for an unknown tag
 */
export function checkTags(expression: string, known: readonly string[]): string {
  const invalid = (reason: string) => new WrongArgument(`bad tag expression ${JSON.stringify(expression)}: ${reason}`);
  if (expression.trim() === '') throw invalid('it is empty');
  for (const token of expression.match(/[^\s()]+/g) ?? []) {
    if (['and', 'or', 'not'].includes(token)) continue;
    if (!token.startsWith('@')) throw invalid(`${JSON.stringify(token)} is neither a tag, as in @C2, nor and, or, not`);
    if (!known.includes(token)) throw unknownTag(token, known);
  }
  try {
    parseTagExpression(expression);
  } catch (error) {
    const [, reason] = String(error).split('because of syntax error: ');
    throw invalid(reason ?? String(error));
  }
  return expression;
}

/** The option of every command that reports something. */
export const jsonOption = () => new Option('--json', 'print JSON instead of text');

/** What `--json` prints. */
export const toJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Options of every command that starts a run. */
export function sharedOptions(): readonly Option[] {
  return [
    new Option('--out <folder>', 'folder for results').default('results'),
    new Option('--json', 'print the record as JSON in the end; everything else goes to standard error'),
    new Option('--seed <number>', `random seed, from 0 to ${largestSeed} (default: a new one, printed)`).argParser(
      parseSeed,
    ),
    new Option('--kernel-tier <tier>', 'use only what this kernel release offers').choices(['6.5', '5.12', '5.10']),
    new Option('--daemon <program>', 'serve the dataset with this FUSE daemon instead of the fake one').choices(
      foreignDaemons,
    ),
  ];
}

/** Makes paths of feature files and folders absolute and keeps their line numbers (`a.feature:12:40`). */
export function featurePaths(paths: readonly string[], cwd: string): readonly string[] {
  return paths.map((given) => {
    const lines = /(?::\d+)*$/.exec(given)?.[0] ?? '';
    const path = resolve(cwd, lines === '' ? given : given.slice(0, -lines.length));
    const stat = existing(path);
    const accepted = 'accepted are .feature files, optionally with :LINE, and folders of them';
    if (stat === undefined) throw new WrongArgument(`no features at ${JSON.stringify(given)}: ${accepted}`);
    if (stat.isDirectory() ? lines !== '' : !path.endsWith('.feature')) {
      throw new WrongArgument(`${JSON.stringify(given)} is not a feature: ${accepted}`);
    }
    return path + lines;
  });
}

function unknownTag(tag: string, known: readonly string[]): WrongArgument {
  const claim = tag.slice(1);
  if (!(claim in claims)) return unknown('tag', tag, known);
  return new WrongArgument(`no scenario tests the claim ${claim}: rekindle claims shows what holds it`);
}

function existing(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** The profile that an option names, and its name or absolute path for other processes. @throws WrongArgument */
export async function chosenProfile(
  given: string,
  cwd: string,
): Promise<{ readonly profile: Profile; readonly source: string }> {
  // Loaded on demand, because the parser takes a tenth of a second to load.
  const { loadProfile, isProfilePath } = await import('../profiles/load-profile.ts');
  try {
    return { profile: await loadProfile(given, cwd), source: isProfilePath(given) ? resolve(cwd, given) : given };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'BAD_FILE') throw error;
    throw new WrongArgument(`bad profile ${(error as Error).message.replaceAll(/\s*\n\s*/g, '; ')}`);
  }
}

/** Creates the folder if needed, checks that it is writable, and returns its absolute path. The folder stays. */
export function writableFolder(given: string, cwd: string): string {
  const path = resolve(cwd, given);
  const created: string[] = [];
  try {
    // One at a time: Node's recursive mkdir never returns below /proc.
    for (const folder of missingFolders(path)) {
      mkdirSync(folder);
      created.unshift(folder);
    }
    rmdirSync(mkdtempSync(join(path, '.rekindle-')));
    return path;
  } catch (error) {
    for (const folder of created) rmdirSync(folder);
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new WrongArgument(
      `cannot write to ${JSON.stringify(given)} (${reason}): --out takes a writable folder, which is created if needed`,
    );
  }
}

/** The folder and its missing ancestors, outermost first. */
function missingFolders(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return [];
  const parent = dirname(path);
  return parent === path ? [] : [...missingFolders(parent), path];
}
