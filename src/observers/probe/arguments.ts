import { parseArgs } from 'node:util';

export interface ProbeArguments {
  readonly pid: number;
  readonly path: string;
  /** Operations per second. */
  readonly rate: number;
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  /** Whether it lists directories, too. */
  readonly lists: boolean;
}

/** Parses the probe's arguments; throws an `Error` with one sentence about the first wrong one. */
export function parseProbeArguments(argv: readonly string[]): ProbeArguments {
  const text = { type: 'string' } as const;
  const noListing = { 'no-listing': { type: 'boolean' } } as const;
  const options = { pid: text, path: text, rate: text, name: text, files: text, uid: text, gid: text, ...noListing };
  const { values } = parseArgs({ args: [...argv], options, strict: true });
  const { pid, path, rate = '200', name, files, uid, gid } = values;
  if (path === undefined || !path.startsWith('/')) throw new Error('--path must be an absolute path');
  if (name === undefined) throw new Error('--name is missing');
  if (files === undefined) throw new Error('--files is missing');
  return {
    pid: parseWhole('--pid', pid, { from: 1, to: 2 ** 22 }),
    path,
    rate: parseWhole('--rate', rate, { from: 1, to: 2_000 }),
    name,
    files: parseChecksums(files),
    lists: values['no-listing'] !== true,
    ...(uid !== undefined && { uid: parseWhole('--uid', uid, { from: 0, to: 2 ** 32 - 2 }) }),
    ...(gid !== undefined && { gid: parseWhole('--gid', gid, { from: 0, to: 2 ** 32 - 2 }) }),
  };
}

function parseWhole(flag: string, text: string | undefined, { from, to }: { from: number; to: number }): number {
  const value = Number(text);
  if (text === undefined || !Number.isInteger(value) || value < from || value > to) {
    throw new Error(`${flag} must be a whole number from ${from} to ${to}, not ${text ?? 'absent'}`);
  }
  return value;
}

function parseChecksums(json: string): Readonly<Record<string, string>> {
  const files: unknown = JSON.parse(json);
  const isObject = typeof files === 'object' && files !== null && !Array.isArray(files);
  const entries = isObject ? Object.entries(files) : [];
  if (!isObject || !entries.every(([, sum]) => typeof sum === 'string' && /^[0-9a-f]{64}$/.test(sum))) {
    throw new Error('--files must be a JSON object of relative paths, each with a SHA-256 in lower-case hex');
  }
  return Object.fromEntries(entries);
}
