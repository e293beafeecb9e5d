import { EventEmitter } from 'node:events';
import { requirements } from '../doctor/assess.ts';
import { cleanRun } from '../doctor/clean/clean-run.ts';
import type { TextStream } from '../environment.ts';
import type { RunId } from '../run-id.ts';
import type { Verbs } from '../verbs.ts';
import { version } from '../version.ts';
import { startsRun } from './become-harness.ts';
import type { Context } from './context.ts';
import { surroundingsOf, temporaryFolder } from './context.ts';
import { type ExitStatus, statusFor } from './exit-status.ts';
import { printFailure } from './print-failure.ts';
import { rekindle } from './rekindle.ts';

/** Runs the command line of a process and exits. */
export async function start(self: NodeJS.Process, runId: RunId): Promise<never> {
  const { stdin, stdout, stderr, env } = self;
  // If the reader is gone (`rekindle conform | head`), continue to the end, because the results are files.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  // Other commands have nothing to clean up and end at once.
  const leaves = startsRun(self.argv) || changesCluster(self.argv);
  const { signal, forced } = listenForInterruption(leaves ? self : new EventEmitter(), stderr);
  const context: Context = {
    environment: { cwd: self.cwd(), stdin, stdout, stderr, env, signal },
    runId,
    version,
    random: Math.random,
    pid: self.pid,
    uid: self.geteuid?.() ?? 0,
    loadVerbs,
    requirements() {
      // This and loading the verb take seconds on a busy machine.
      stderr.write('… checking what this machine can run\n');
      return requirements({ env, temporary: temporaryFolder(env) });
    },
    forced,
  };
  const broke = Promise.withResolvers<unknown>();
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) self.on(event, broke.resolve);
  const gaveUp = broke.promise.then((error) => giveUp(error, context));
  self.exit(await Promise.race([rekindle(self.argv.slice(2), context), gaveUp]));
}

/** Returns true if an interruption may leave something half done in a cluster. */
function changesCluster(argv: readonly string[]): boolean {
  return ['deploy', 'doctor'].includes(argv[2] ?? '');
}

/** Reports an uncaught exception and removes what the run has created so far. */
async function giveUp(error: unknown, context: Context): Promise<ExitStatus> {
  const status = printFailure(error, context.environment);
  const { leftovers } = await cleanRun(context.runId, surroundingsOf(context));
  for (const leftover of leftovers) context.environment.stderr.write(`rekindle: could not clean up: ${leftover}\n`);
  return statusFor({ status, leftovers, interrupted: false });
}

/** Each command loads its modules when it starts. */
async function loadVerbs(): Promise<Verbs> {
  return {
    bench: async (options) => (await import('../run/bench/bench.ts')).bench(options),
    conform: async (options) => (await import('../run/conform.ts')).conform(options),
    crash: async (options) => (await import('../run/crash.ts')).crash(options),
    crashPod: async (options) => (await import('../run/crash-pod.ts')).crashPod(options),
  };
}

export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Resolves on the second signal. */
  readonly forced: Promise<void>;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens for Ctrl-C and termination signals: the first asks to stop, the second kills, later ones are ignored. */
export function listenForInterruption(source: Pick<EventEmitter, 'on'>, stderr: TextStream): Interruption {
  const controller = new AbortController();
  const { promise: forced, resolve } = Promise.withResolvers<void>();
  const interrupt = () => {
    if (controller.signal.aborted) {
      resolve();
      return;
    }
    controller.abort(new Error('interrupted'));
    stderr.write('\nrekindle: interrupted, cleaning up (interrupt again to kill everything first)\n');
  };
  for (const signal of signals) source.on(signal, interrupt);
  return { signal: controller.signal, forced };
}
