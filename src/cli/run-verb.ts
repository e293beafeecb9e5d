import { setTimeout as sleep } from 'node:timers/promises';
import { CannotRun } from '../../clusters/cluster.ts';
import { cleanRun } from '../clean/clean-run.ts';
import { docker } from '../clean/containers.ts';
import { killRun } from '../clean/kill-run.ts';
import type { Outcome, RunOptions, Verbs } from '../verbs.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus, statusOf } from './exit-status.ts';
import { largestSeed, parseSeed } from './parse-seed.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { writableFolder } from './writable-folder.ts';

/** Flags that all verbs with a run share, as they were given. */
export interface RunFlags {
  readonly out: string;
  readonly seed?: string;
  readonly kernelTier?: NonNullable<RunOptions['kernelTier']>;
}

/** How long a run that was told twice to stop may take to return, once its processes are dead. */
const patienceMs = 5_000;

/** Checks the shared flags. The folder of results is made, nothing else. */
export function runOptions({ out, seed, kernelTier }: RunFlags, { environment, runId, random }: Context): RunOptions {
  return {
    runId,
    seed: seed === undefined ? Math.floor(random() * (largestSeed + 1)) : parseSeed(seed),
    out: writableFolder(out, environment.cwd),
    ...(kernelTier === undefined ? {} : { kernelTier }),
    environment,
  };
}

/**
 * Starts a verb where the machine can run it, and waits for it. Interrupted once, it stops and cleans up by itself;
 * twice, its processes are killed and what it left is removed from here.
 */
export async function runVerb(context: Context, verb: (verbs: Verbs) => Promise<Outcome>): Promise<ExitStatus> {
  const { environment, forced, loadVerbs, requirements } = context;
  const missing = await requirements();
  if (missing.length > 0) throw new CannotRun(missing);
  if (environment.signal.aborted) return exitStatus.interrupted;
  const running = verb(await loadVerbs()).catch((error: unknown) => {
    // What fails because it was told to stop has stopped.
    if (!environment.signal.aborted) throw error;
    return undefined;
  });
  const outcome = await Promise.race([running, forced.then(() => forceEnd(context, running))]);
  if (outcome === undefined) return tellLeftovers(context, (await sweep(context)).leftovers);
  if (outcome.leftovers.length > 0) tellLeftovers(context, outcome.leftovers);
  return statusOf(outcome, environment.signal.aborted);
}

async function forceEnd({ runId, pid }: Context, running: Promise<Outcome | undefined>): Promise<undefined> {
  await killRun(runId, pid);
  await Promise.race([running, sleep(patienceMs, undefined, { ref: false })]);
  return undefined;
}

function sweep({ runId, pid, environment: { env } }: Context) {
  return cleanRun(runId, { temporary: temporaryFolder(env), containers: docker(env), own: pid });
}

function tellLeftovers({ environment: { stderr } }: Context, leftovers: readonly string[]): ExitStatus {
  for (const leftover of leftovers) stderr.write(`rekindle: could not clean up: ${leftover}\n`);
  return leftovers.length > 0 ? exitStatus.leftovers : exitStatus.interrupted;
}
