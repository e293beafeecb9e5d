import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import pino from 'pino';
import { monotonicClock } from '../clock.ts';
import { runCommand } from '../command-line.ts';
import { proberArgv } from '../linux/prober/client.ts';
import { createLog, formatError } from '../log.ts';
import { startAgent } from './agent.ts';
import { CannotStart } from './cannot-start.ts';
import { type AgentOptions, parseFlags } from './flags.ts';
import { loadKubeConfig } from './kube-config.ts';
import { takePriority } from './priority.ts';

/** Timeout of a clean shutdown. Mounts are not touched, so exiting early loses nothing. */
const shutdownTimeoutMs = 800;
/** How long the log's reader may take for the last lines. */
const flushTimeoutMs = 200;
/** Log lines beyond this backlog are dropped while the reader is stalled. */
const maxBacklog = 4 << 20;

/** The prober beside the bundle `agent.mjs`; undefined if the sources or their compiled copy run, whose kernel adapter knows it. */
function bundledProber(): readonly string[] | undefined {
  if (!import.meta.url.endsWith('.mjs')) return undefined;
  return proberArgv(fileURLToPath(new URL('./prober.mjs', import.meta.url)));
}

async function run(options: AgentOptions): Promise<number> {
  const out = pino.destination({ dest: 1, sync: false, maxLength: maxBacklog });
  // A closed log reader is no reason to stop.
  out.on('error', () => {});
  const log = createLog(out, monotonicClock.now);
  const flush = () => {
    try {
      out.flushSync();
    } catch {
      // The reader is gone.
    }
  };
  // Keeps the process alive during disposal, whose timers and sockets are unreferenced.
  setInterval(() => {}, 2 ** 30);
  const stop = Promise.withResolvers<string>();
  const stopping = new AbortController();
  let hasLogged = false;
  const logStopped = (signal: string) => {
    if (!hasLogged) log.info('stopped', { signal });
    hasLogged = true;
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop.resolve(signal);
      stopping.abort();
      setTimeout(() => {
        logStopped(signal);
        flush();
        process.exit(0);
      }, shutdownTimeoutMs).unref();
    });
  }
  process.on('uncaughtException', (error) => {
    log.error('crashed', { error: formatError(error), ...(error.stack === undefined ? {} : { stack: error.stack }) });
    flush();
    process.exit(1);
  });
  try {
    const setting = { options, prober: bundledProber(), log, random: Math.random };
    await using _ = await startAgent({
      ...setting,
      kubeConfig: loadKubeConfig(options.kubeconfig, process.env),
      signal: stopping.signal,
    });
    await stop.promise;
  } catch (error) {
    if (!stopping.signal.aborted) {
      if (!(error instanceof CannotStart)) throw error;
      log.error('cannot-start', { error: error.message });
      await written(out);
      process.stderr.write(`${error.message}\n`);
      return 3;
    }
  }
  logStopped(await stop.promise);
  await written(out);
  return 0;
}

/**
 * The agent works for a few milliseconds at a time, so optimising compilation by TurboFan never pays off. At a limit of 200m CPU
 * the waiting pods pay for it (with 250 pods: 33 -> 31 ms of CPU until the last one, 145 -> 135 ms). It is disabled after
 * loading and not by a command-line flag (`v8-flags.ts` explains why).
 */
function withoutTurboFan(): void {
  setFlagsFromString('--no-turbofan');
}

/** Writes the remaining lines in order and closes the log. */
function written(out: ReturnType<typeof pino.destination>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, flushTimeoutMs);
    out.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    out.end();
  });
}

/** Runs the agent with the flags of its command line until a signal ends it. Exits unless the flags ask for help or are wrong. */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  await runCommand(parseFlags({ argv, env }), async (options) => {
    withoutTurboFan();
    takePriority();
    process.exit(await run(options));
  });
}
