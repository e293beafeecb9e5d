import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { newRunId, runIdVariable, runRoleVariable } from '../run-id.ts';
import type { RunRecord } from '../timeline/record.ts';
import { readRecord } from './read-run.ts';

/** Options of `rekindle conform`, with the same defaults. */
export interface ConformRequest {
  readonly cluster?: string;
  /** Name of a shipped profile, or path of a file. */
  readonly profile?: string;
  /** Feature files and folders, `FILE:LINE` too. */
  readonly features?: readonly string[];
  /** Tag expression such as `@C2 or @C3`. */
  readonly tags?: string;
  readonly jobs?: number;
  readonly seed?: number;
  /** Folder in which `<runId>/` is created, with the record and the reports. */
  readonly out?: string;
  /** Further command-line flags. */
  readonly flags?: readonly string[];
  /** Base of relative paths. Default: the working directory. */
  readonly cwd?: string;
  /** Aborts the run, which cleans up before the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Receives the output of the command as it arrives. */
  readonly onOutput?: (text: string) => void;
}

const command = fileURLToPath(new URL('../../bin/rekindle.js', import.meta.url));

/**
 * Judges an implementation by the documented promises, in a separate process, and resolves with the record of the run,
 * whatever its verdict. The folder of the run is `<out>/<record.runId>`.
 * @throws RunFailed if the run produced no record
 */
export async function conform(request: ConformRequest = {}): Promise<RunRecord> {
  const { cwd = process.cwd(), out = 'results', signal } = request;
  signal?.throwIfAborted();
  const runId = newRunId(new Date(), Math.random);
  const { status, stderr } = await run(request, runId);
  signal?.throwIfAborted();
  const folder = resolve(cwd, out, runId);
  if (!existsSync(join(folder, 'record.json'))) throw new RunFailed(status, errorMessage(stderr));
  return readRecord(folder);
}

interface ProcessResult {
  readonly status: number | undefined;
  /** The last 20,000 characters of its standard error. */
  readonly stderr: string;
}

async function run(request: ConformRequest, runId: string): Promise<ProcessResult> {
  const { signal, onOutput = () => undefined } = request;
  const child = execa(process.execPath, [command, 'conform', ...buildArguments(request)], {
    ...(request.cwd !== undefined && { cwd: request.cwd }),
    env: { [runIdVariable]: runId, [runRoleVariable]: 'harness' },
    stdin: 'ignore',
    buffer: false,
    // It ends by itself, and cleans up, once its signal arrives.
    cleanup: false,
    reject: false,
  });
  const interrupt = () => child.kill('SIGINT');
  signal?.addEventListener('abort', interrupt);
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', onOutput);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-20_000);
    onOutput(text);
  });
  const { exitCode, code, cause } = await child;
  signal?.removeEventListener('abort', interrupt);
  if (code !== undefined) throw cause;
  return { status: exitCode, stderr };
}

function buildArguments(request: ConformRequest): string[] {
  const { cluster, profile, tags, jobs, seed, out, features = [], flags = [] } = request;
  const named = { cluster, profile, tags, jobs, seed, out };
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  return [...given.map(([name, value]) => `--${name}=${value}`), ...flags, ...features];
}

/** The messages of the command, without the `rekindle: ` before each. */
function errorMessage(stderr: string): string {
  const prefix = 'rekindle: ';
  const messages = stderr.split('\n').filter((line) => line.startsWith(prefix));
  return (
    messages.map((line) => line.slice(prefix.length)).join('\n') || stderr.trim() || 'the command printed no error'
  );
}

/** A run produced no record. `USAGE`: an argument is wrong. `CANNOT_RUN`: this machine lacks a requirement. `BROKE`: Rekindle failed. */
export class RunFailed extends Error {
  readonly code: 'USAGE' | 'CANNOT_RUN' | 'BROKE';
  /** Exit status of the command, or undefined if a signal ended it. */
  readonly status: number | undefined;
  constructor(status: number | undefined, message: string) {
    super(message);
    this.name = 'RunFailed';
    this.status = status;
    this.code = status === 2 ? 'USAGE' : status === 3 ? 'CANNOT_RUN' : 'BROKE';
  }
}
