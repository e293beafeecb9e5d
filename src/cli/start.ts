import packageJson from '../../package.json' with { type: 'json' };
import { requirements } from '../doctor/requirements.ts';
import type { Environment } from '../environment.ts';
import type { RunId } from '../run-id.ts';
import type { Verbs } from '../verbs.ts';
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
  const broke = Promise.withResolvers<number>();
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    self.on(event, (error: unknown) => broke.resolve(tellFailure(error, environment)));
  }
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
  self.exit(await Promise.race([ended, broke.promise]));
}

async function loadVerbs(): Promise<Verbs> {
  const load = (name: string) => import(new URL(`../scenario/${name}.ts`, import.meta.url).href);
  const [{ conform }, { crash }] = await Promise.all([load('conform'), load('crash')]);
  return { conform, crash };
}
