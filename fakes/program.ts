import type { Readable } from 'node:stream';
import { execa } from 'execa';

/** For programs whose output is read while they run. They get exactly the given environment, and are ended by their owner. */
export const streamed = {
  stdin: 'ignore',
  buffer: false,
  reject: false,
  extendEnv: false,
  cleanup: false,
} as const;

interface ProgramEnd {
  readonly exitCode?: number | undefined;
  readonly signal?: NodeJS.Signals | undefined;
  readonly originalMessage?: string | undefined;
}

/** A running program, as a promise of its end. */
export interface Program extends PromiseLike<ProgramEnd> {
  readonly pid?: number | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  kill(signal: NodeJS.Signals): boolean;
}

export interface Exit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Starts a program, synchronously. */
export function startProgram([file, ...args]: readonly string[], { env, cwd }: ProgramOptions): Program {
  if (file === undefined) throw new Error('there is no program to start');
  return execa(file, args, { ...streamed, env, cwd });
}

/** Resolves when a program has ended and its output was read. A program that could not be started ends with 127, as in a shell. */
export async function exitOf(program: PromiseLike<ProgramEnd>): Promise<Exit> {
  const { exitCode = null, signal = null } = await program;
  return exitCode === null && signal === null ? { exitCode: 127, signal } : { exitCode, signal };
}
