import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newRunId, runIdVariable, runRoleVariable } from '../run-id.ts';
import type { RunRecord } from '../timeline/record.ts';
import { readRecord } from './read-run.ts';
import { RunFailed } from './run-failed.ts';

/** What `rekindle conform` takes; all of it has the command's defaults. */
export interface ConformRequest {
  readonly cluster?: string;
  /** Name of a shipped profile, or path of a file. */
  readonly profile?: string;
  /** Feature files and folders, `FILE:LINE` too. */
  readonly features?: readonly string[];
  /** As in `@C2 or @C3`. */
  readonly tags?: string;
  readonly jobs?: number;
  readonly seed?: number;
  /** Folder in which `<runId>/` is made with record and reports. */
  readonly out?: string;
  /** Further flags, as the command line has them. */
  readonly flags?: readonly string[];
  /** What relative paths start from: by default the working directory. */
  readonly cwd?: string;
  /** Aborts the run, which cleans up before the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Takes what the command prints, as it comes. */
  readonly onOutput?: (text: string) => void;
}

const command = fileURLToPath(new URL('../../bin/rekindle.js', import.meta.url));

/**
 * Judges an implementation by the documented promises, in a process of its own, and resolves with the record of the run,
 * whatever its verdict. Its folder is `<out>/<record.runId>`.
 * @throws RunFailed where no record came of it
 */
export async function conform(request: ConformRequest = {}): Promise<RunRecord> {
  const { cwd = process.cwd(), out = 'results', signal } = request;
  signal?.throwIfAborted();
  const runId = newRunId(new Date(), Math.random);
  const { status, said } = await run(request, runId);
  signal?.throwIfAborted();
  const folder = resolve(cwd, out, runId);
  if (!existsSync(join(folder, 'record.json'))) throw new RunFailed(status, complaint(said));
  return readRecord(folder);
}

interface Ended {
  readonly status: number | undefined;
  /** Its standard error, or the end of it. */
  readonly said: string;
}

function run(request: ConformRequest, runId: string): Promise<Ended> {
  const { signal, onOutput = () => undefined } = request;
  return new Promise((ended, broken) => {
    const child = spawn(process.execPath, [command, 'conform', ...argumentsOf(request)], {
      cwd: request.cwd,
      env: { ...process.env, [runIdVariable]: runId, [runRoleVariable]: 'harness' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const interrupt = () => child.kill('SIGINT');
    signal?.addEventListener('abort', interrupt);
    let said = '';
    child.stdout.setEncoding('utf8').on('data', onOutput);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-20_000);
      onOutput(text);
    });
    child.on('error', broken);
    child.on('close', (status) => {
      signal?.removeEventListener('abort', interrupt);
      ended({ status: status ?? undefined, said });
    });
  });
}

function argumentsOf(request: ConformRequest): string[] {
  const { cluster, profile, tags, jobs, seed, out, features = [], flags = [] } = request;
  const named = { cluster, profile, tags, jobs, seed, out };
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  return [...given.map(([name, value]) => `--${name}=${value}`), ...flags, ...features];
}

/** The command's own sentences, which begin with its name. */
function complaint(said: string): string {
  const prefix = 'rekindle: ';
  const sentences = said.split('\n').filter((line) => line.startsWith(prefix));
  return sentences.map((line) => line.slice(prefix.length)).join('\n') || said.trim() || 'the command said nothing';
}
