import { execa } from 'execa';
import { CannotRun } from './cluster.ts';

/** A program of the machine (`docker`, `kind`), found on the PATH of `environment`. */
export interface Program {
  readonly name: string;
  /** What to do where it is not there. */
  readonly remedy: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface Ended {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line that it wrote to standard error, or how it ended: for a sentence about it. */
  readonly why: string;
}

export interface CallOptions {
  /** Ended with SIGTERM, and SIGKILL after that, when it takes longer. */
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Takes what it writes, line by line. */
  readonly onLine?: (line: string) => void;
}

/** Runs a program to its end, however that is. @throws CannotRun where it is not installed; the signal's reason when told to stop */
export async function call(program: Program, args: readonly string[], options: CallOptions = {}): Promise<Ended> {
  const { name, environment, signal } = program;
  signal.throwIfAborted();
  const running = execa(name, args, {
    env: { ...environment },
    extendEnv: false,
    reject: false,
    cancelSignal: signal,
    forceKillAfterDelay: 5_000,
    // A terminal's Ctrl-C is for us: what is to be ended is ended by the signal.
    detached: true,
    cleanup: true,
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.onLine && { stderr: ['pipe', lines(options.onLine)], stdout: ['pipe', lines(options.onLine)] }),
  });
  const ended = await running;
  signal.throwIfAborted();
  if (ended.code === 'ENOENT')
    throw new CannotRun([{ what: `there is no ${name} on the PATH`, remedy: program.remedy }]);
  const stderr = String(ended.stderr ?? '');
  const how = ended.timedOut ? `no end after ${(options.timeoutMs ?? 0) / 1000} s` : (ended.shortMessage ?? '');
  return {
    exitCode: ended.exitCode,
    stdout: String(ended.stdout ?? ''),
    stderr,
    why: ended.timedOut ? how : (lastLine(stderr) ?? how),
  };
}

function lines(onLine: (line: string) => void) {
  return function* (line: unknown): Generator<unknown> {
    onLine(String(line));
    yield line;
  };
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1)?.trim() || undefined;
}
