import { execa } from 'execa';
import { CannotRun } from './cluster.ts';

/** A command-line tool of the machine (`docker`, `kind`), found on the PATH of `environment`. */
export interface Tool {
  readonly name: string;
  /** What the user can do if it is not installed. */
  readonly remedy: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** The parts of a `Tool` that depend on the run. */
export type ToolContext = Pick<Tool, 'environment' | 'signal'>;

export interface ToolResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  /** For a message: the last line of standard error, or how the tool ended. */
  readonly failure: string;
}

export interface ToolOptions {
  /** When it expires the tool gets SIGTERM, and SIGKILL five seconds later. */
  readonly timeoutMs?: number;
  readonly input?: string;
}

/** Runs a tool and resolves whatever its exit status. @throws CannotRun if it is not installed; the signal's reason on abort */
export async function runTool(tool: Tool, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  const { name, environment, signal } = tool;
  const { timeoutMs, input } = options;
  signal.throwIfAborted();
  const result = await execa(name, args, {
    env: { ...environment },
    extendEnv: false,
    reject: false,
    cancelSignal: signal,
    forceKillAfterDelay: 5_000,
    // Ctrl-C in a terminal is for us alone: the abort signal ends the tool.
    detached: true,
    cleanup: true,
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  });
  signal.throwIfAborted();
  if (result.code === 'ENOENT') throw new CannotRun([{ what: `there is no ${name} on the PATH`, remedy: tool.remedy }]);
  const lastError = result.stderr.trim().split('\n').at(-1)?.trim();
  const failure = result.timedOut
    ? `no end after ${(timeoutMs ?? 0) / 1000} s`
    : lastError || (result.shortMessage ?? '');
  return { exitCode: result.exitCode, stdout: result.stdout, failure };
}
