import packageJson from '../../package.json' with { type: 'json' };
import { cleanRun } from '../clean/clean-run.ts';
import { docker } from '../clean/containers.ts';
import { requirements } from '../doctor/requirements.ts';
import type { Environment } from '../environment.ts';
import type { RunId } from '../run-id.ts';
import type { Verbs } from '../verbs.ts';
import type { Context } from './context.ts';
import { exitStatus } from './exit-status.ts';
import { listenForInterruption } from './interruption.ts';
import { rekindle } from './rekindle.ts';
import { tellFailure } from './tell-failure.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { vocabulary } from './vocabulary.ts';

/** Runs the command line of a process, and ends it. */
export async function start(self: NodeJS.Process, runId: RunId): Promise<never> {
  const { stdout, stderr, env } = self;
  const { signal, forced } = listenForInterruption(self, stderr);
  const environment: Environment = { cwd: self.cwd(), stdout, stderr, env, signal };
  // Nobody reads any more (`rekindle conform | head`): go on to the end, since the results are files.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  const broke = Promise.withResolvers<unknown>();
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) self.on(event, broke.resolve);
  const ended = rekindle(self.argv.slice(2), {
    environment,
    runId,
    version: packageJson.version,
    random: Math.random,
    pid: self.pid,
    loadVerbs,
    vocabulary,
    requirements: () => requirements({ env, temporary: temporaryFolder(env) }),
    forced,
  });
  self.exit(
    await Promise.race([ended, broke.promise.then((error) => giveUp(error, { environment, runId, pid: self.pid }))]),
  );
}

/** After an exception that nobody caught: says so, and removes what the run has made so far. */
async function giveUp(error: unknown, { environment, runId, pid }: Pick<Context, 'environment' | 'runId' | 'pid'>) {
  const status = tellFailure(error, environment);
  const { env, stderr } = environment;
  const { leftovers } = await cleanRun(runId, { temporary: temporaryFolder(env), containers: docker(env), own: pid });
  for (const leftover of leftovers) stderr.write(`rekindle: could not clean up: ${leftover}\n`);
  return leftovers.length > 0 ? exitStatus.leftovers : status;
}

async function loadVerbs(): Promise<Verbs> {
  const [{ bench }, { conform }, { crash }] = await Promise.all([
    import('../bench/bench.ts'),
    import('../scenario/conform.ts'),
    import('../scenario/crash.ts'),
  ]);
  return { bench, conform, crash };
}
