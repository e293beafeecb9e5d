#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import pino from 'pino';
import { startAgent } from './agent.ts';
import { CannotStart } from './cannot-start.ts';
import { monotonicClock } from './clock.ts';
import { type AgentOptions, parseFlags } from './flags.ts';
import { loadKubeConfig } from './kube-config.ts';
import { createLog, formatError } from './log.ts';
import { takePriority } from './priority.ts';
import { programsBeside } from './programs.ts';

/** How long an end may take; mounts are left as they are, so nothing is lost by a harder one. */
const endWithinMs = 800;
/** How long whoever reads the log may take for its last lines. */
const writeWithinMs = 200;
/** What is written while nobody reads is dropped beyond this. */
const longestBacklog = 4 << 20;

async function run(options: AgentOptions): Promise<number> {
  const out = pino.destination({ dest: 1, sync: false, maxLength: longestBacklog });
  // Whoever read the log may go away; that is no reason to stop.
  out.on('error', () => {});
  const log = createLog(out, monotonicClock.now);
  const flush = () => {
    try {
      out.flushSync();
    } catch {
      // Nobody reads.
    }
  };
  // What is disposed of may wait for nothing that keeps a process alive by itself.
  setInterval(() => {}, 2 ** 30);
  const stop = Promise.withResolvers<string>();
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop.resolve(signal);
      stopping.abort();
      setTimeout(() => {
        flush();
        process.exit(0);
      }, endWithinMs).unref();
    });
  }
  process.on('uncaughtException', (error) => {
    log.error('crashed', { error: formatError(error), ...(error.stack === undefined ? {} : { stack: error.stack }) });
    flush();
    process.exit(1);
  });
  try {
    const setting = { options, programs: programsBeside(new URL(import.meta.url)), log, random: Math.random };
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
  log.info('stopped', { signal: await stop.promise });
  await written(out);
  return 0;
}

/**
 * An agent works for milliseconds now and then: what TurboFan costs to compile it never earns back, and where the agent is held to
 * 200m CPU that is paid by the pods that wait (250 of them: 33 -> 31 ms of CPU up to the last one, 145 -> 135 ms). Turned off
 * once all is loaded, and not by a flag of the command line (`v8-flags.ts` says why).
 */
function withoutTurboFan(): void {
  setFlagsFromString('--no-turbofan');
}

/** Ends the log, in order: what is under way and then the rest. */
function written(out: ReturnType<typeof pino.destination>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, writeWithinMs);
    out.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    out.end();
  });
}

const parsed = parseFlags({ argv: process.argv.slice(2), env: process.env });
switch (parsed.kind) {
  case 'help':
    process.stdout.write(parsed.text);
    break;
  case 'error':
    process.stderr.write(`${parsed.message}\n`);
    process.exitCode = 2;
    break;
  case 'run':
    withoutTurboFan();
    takePriority();
    process.exit(await run(parsed.options));
}
