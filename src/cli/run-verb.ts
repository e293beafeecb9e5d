import { setTimeout as sleep } from 'node:timers/promises';
import { CannotRun } from '../../clusters/cluster.ts';
import { type CleanOutcome, cleanRun } from '../doctor/clean/clean-run.ts';
import { killRun } from '../doctor/clean/kill-run.ts';
import type { ConformOptions, Outcome, RunOptions, Verbs } from '../verbs.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus, statusOf } from './exit-status.ts';
import { largestSeed, parseSeed } from './parse-seed.ts';
import { surroundingsOf } from './surroundings.ts';
import { tellFailure } from './tell-failure.ts';
import { writableFolder } from './writable-folder.ts';

/** Flags that all verbs with a run share, as they were given. */
export interface RunFlags {
  readonly out: string;
  readonly seed?: string;
  readonly kernelTier?: NonNullable<RunOptions['kernelTier']>;
  readonly daemon?: NonNullable<RunOptions['daemon']>;
}

/** How long a run that was told twice to stop may take to return, once its processes are dead. */
const patienceMs = 5_000;

/** Checks the shared flags. The folder of results is made, nothing else. */
export function runOptions(
  { out, seed, kernelTier, daemon }: RunFlags,
  { environment, runId, random }: Context,
): RunOptions {
  return {
    runId,
    seed: seed === undefined ? Math.floor(random() * (largestSeed + 1)) : parseSeed(seed),
    out: writableFolder(out, environment.cwd),
    ...(kernelTier === undefined ? {} : { kernelTier }),
    ...(daemon === undefined ? {} : { daemon }),
    environment,
  };
}

/**
 * Starts a verb where the machine can run it, and waits for it. However it ends, what is still there of the run is removed
 * afterwards. Interrupted once, the verb stops and cleans up by itself; twice, its processes are killed first.
 */
export async function runVerb(
  context: Context,
  verb: (verbs: Verbs) => Promise<Outcome>,
  { kubernetes }: Pick<ConformOptions, 'kubernetes'> = {},
): Promise<ExitStatus> {
  const { environment, forced, loadVerbs, requirements } = context;
  // What the sandbox needs of this machine, the nodes of a cluster have to have.
  const missing = kubernetes === undefined ? await requirements() : [];
  // First: what was tried may have failed because Ctrl-C reached it, too.
  if (environment.signal.aborted) return exitStatus.interrupted;
  if (missing.length > 0) throw new CannotRun(missing);
  const running = settle(loadVerbs().then(verb));
  const end = await Promise.race([running, forced.then(() => forceEnd(context, running))]);
  const swept = await sweep(context);
  const interrupted = environment.signal.aborted;
  const leftovers = [...(end.ok ? end.outcome.leftovers : []), ...swept.leftovers];
  for (const leftover of leftovers) environment.stderr.write(`rekindle: could not clean up: ${leftover}\n`);
  // What fails after it was told to stop has stopped.
  if (!end.ok && !interrupted) {
    const status = tellFailure(end.error, environment);
    return leftovers.length > 0 ? exitStatus.leftovers : status;
  }
  return statusOf({ verdict: end.ok ? end.outcome.verdict : 'inconclusive', leftovers }, interrupted);
}

type End = { readonly ok: true; readonly outcome: Outcome } | { readonly ok: false; readonly error: unknown };

function settle(running: Promise<Outcome>): Promise<End> {
  return running.then(
    (outcome) => ({ ok: true, outcome }),
    (error: unknown) => ({ ok: false, error }),
  );
}

async function forceEnd({ runId, pid }: Context, running: Promise<End>): Promise<End> {
  await killRun(runId, pid);
  return Promise.race([running, sleep(patienceMs, { ok: false, error: new Error('killed') } as const, { ref: false })]);
}

function sweep(context: Context): Promise<CleanOutcome> {
  return cleanRun(context.runId, surroundingsOf(context));
}
