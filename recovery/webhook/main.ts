#!/usr/bin/env node
import pino from 'pino';
import { CannotStart } from '../agent/cannot-start.ts';
import { loadKubeConfig } from '../agent/kube-config.ts';
import { monotonicClock } from '../clock.ts';
import { runCommand } from '../command-line.ts';
import { createLog } from '../log.ts';
import { parseWebhookFlags, type WebhookFlags } from './flags.ts';
import { startWebhook } from './webhook.ts';

/** Runs the admission webhook. Logs one JSON object per line to standard output, `ready` once it decides about pods. */
async function run(flags: WebhookFlags): Promise<number> {
  const out = pino.destination({ dest: 1, sync: true });
  // A closed log reader is no reason to stop.
  out.on('error', () => {});
  const log = createLog(out, monotonicClock.now);
  const stop = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.resolve(signal));
  try {
    const kubeConfig = loadKubeConfig(flags.kubeconfig, process.env);
    await using _ = await startWebhook({ flags, kubeConfig, log, random: Math.random, now: () => new Date() });
    log.info('stopped', { signal: await stop.promise });
    return 0;
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 3;
  }
}

await runCommand(parseWebhookFlags({ argv: process.argv.slice(2), env: process.env }), async (flags) =>
  process.exit(await run(flags)),
);
