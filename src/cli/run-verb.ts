import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CannotRun } from '../../clusters/cluster.ts';
import { type CleanOutcome, cleanRun } from '../doctor/clean/clean-run.ts';
import { killRun } from '../doctor/clean/processes.ts';
import type { ConformOptions, RunOptions, RunOutcome, Verbs } from '../verbs.ts';
import type { Context } from './context.ts';
import { surroundingsOf } from './context.ts';
import { type ExitStatus, exitStatus, statusFor, statusForVerdict } from './exit-status.ts';
import { largestSeed, writableFolder } from './options.ts';
import { printFailure } from './print-failure.ts';

/** Unparsed flags of every command that starts a run. */
export interface RunFlags {
  readonly out: string;
  /** Standard output is for the record. */
  readonly json?: true;
  readonly seed?: number;
  readonly kernelTier?: NonNullable<RunOptions['kernelTier']>;
  readonly daemon?: NonNullable<RunOptions['daemon']>;
}

/** How long a run may take to return after a second interruption killed its processes. */
const killedRunTimeoutMs = 5_000;

/** Validates the shared flags. Creates the results folder and nothing else. */
export function runOptions(
  { out, seed, kernelTier, daemon, json }: RunFlags,
  { environment, runId, random }: Context,
): RunOptions {
  return {
    runId,
    seed: seed ?? Math.floor(random() * (largestSeed + 1)),
    out: writableFolder(out, environment.cwd),
    ...(kernelTier === undefined ? {} : { kernelTier }),
    ...(daemon === undefined ? {} : { daemon }),
    environment: json ? { ...environment, stdout: environment.stderr } : environment,
  };
}

/**
 * Runs a command if this machine can, and removes whatever is left of the run afterwards. On the first interruption the command
 * stops and cleans up by itself; on the second, its processes are killed first. `printed`: the file of the results that `--json` prints.
 */
export async function runVerb(
  context: Context,
  verb: (verbs: Verbs) => Promise<RunOutcome>,
  { kubernetes, printed }: Pick<ConformOptions, 'kubernetes'> & { readonly printed?: string | undefined } = {},
): Promise<ExitStatus> {
  const { environment, forced, loadVerbs, requirements } = context;
  // On a cluster, the nodes need what the sandbox needs of this machine.
  const missing = kubernetes === undefined ? await requirements() : [];
  // Checked first, because Ctrl-C also reaches the programs that the check runs.
  if (environment.signal.aborted) return exitStatus.interrupted;
  if (missing.length > 0) throw new CannotRun(missing);
  const running = settle(loadVerbs().then(verb));
  const end = await Promise.race([running, forced.then(() => forceEnd(context, running))]);
  const swept = await sweep(context);
  // An interruption may have come before there was anything to print.
  const file = end.ok && printed !== undefined ? join(end.outcome.resultsDir, printed) : undefined;
  if (file !== undefined && existsSync(file)) environment.stdout.write(readFileSync(file, 'utf8'));
  const interrupted = environment.signal.aborted;
  const leftovers = [...(end.ok ? end.outcome.leftovers : []), ...swept.leftovers];
  for (const leftover of leftovers) environment.stderr.write(`rekindle: could not clean up: ${leftover}\n`);
  // A failure after an interruption counts as having stopped.
  const failed = end.ok || interrupted ? exitStatus.inconclusive : printFailure(end.error, environment);
  return statusFor({ status: end.ok ? statusForVerdict[end.outcome.verdict] : failed, leftovers, interrupted });
}

type End = { readonly ok: true; readonly outcome: RunOutcome } | { readonly ok: false; readonly error: unknown };

function settle(running: Promise<RunOutcome>): Promise<End> {
  return running.then(
    (outcome) => ({ ok: true, outcome }),
    (error: unknown) => ({ ok: false, error }),
  );
}

async function forceEnd({ runId, pid }: Context, running: Promise<End>): Promise<End> {
  await killRun(runId, pid);
  return Promise.race([
    running,
    sleep(killedRunTimeoutMs, { ok: false, error: new Error('killed') } as const, { ref: false }),
  ]);
}

function sweep(context: Context): Promise<CleanOutcome> {
  return cleanRun(context.runId, surroundingsOf(context));
}
