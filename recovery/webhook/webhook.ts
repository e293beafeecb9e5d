import { randomBytes } from 'node:crypto';
import type { KubeConfig } from '@kubernetes/client-node';
import { CannotStart } from '../agent/cannot-start.ts';
import { monotonicClock as clock } from '../agent/clock.ts';
import { type Log, told } from '../agent/log.ts';
import { createTransport } from '../kubernetes/transport.ts';
import { selfSigned } from './certificate.ts';
import type { WebhookFlags } from './flags.ts';
import { type Reached, register } from './registration.ts';
import { serveWebhook, type WebhookServer } from './server.ts';
import { watchFacts } from './watch-facts.ts';

export interface WebhookSetting {
  readonly flags: WebhookFlags;
  readonly kubeConfig: KubeConfig;
  readonly log: Log;
  /** Between 0 and 1. */
  readonly random: () => number;
  readonly now: () => Date;
}

const day = 24 * 3600 * 1000;
/** It is made anew at each start; a process may run for long, and a clock be wrong. */
const certificateDays = { before: 1, after: 3650 };

/** Starts everything and registers it where it is to be. Resolves when pods are judged. Rejects with `CannotStart`. */
export async function startWebhook({ flags, kubeConfig, log, random, now }: WebhookSetting): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack();
  const transport = createTransport(kubeConfig);
  const facts = parts.use(
    watchFacts({
      transport,
      mountRoot: flags.mountRoot,
      clock,
      random,
      onError: (kind, error) => log.warn('watch-failed', { kind, error: told(error) }),
    }),
  );
  const certificate = selfSigned({
    names: namesOf(flags),
    notBefore: new Date(now().getTime() - certificateDays.before * day),
    notAfter: new Date(now().getTime() + certificateDays.after * day),
    // Positive, and 64 bits from a good source (CA/Browser Forum, 7.1).
    serial: (1n << 64n) | randomBytes(8).readBigUInt64BE(),
  });
  const waiting = new Set(['the API server', 'the registration']);
  const server = parts.use(
    await orCannotStart(
      () =>
        serveWebhook({
          ...flags,
          certificate,
          factsFor: (pod) => facts.factsFor(pod),
          missing: () => [...waiting],
          onAnswer: ({ path, pod, answer }) => log.info('answered', { path, pod, answer }),
        }),
      'choose another --listen',
    ),
  );
  await facts.synced;
  waiting.delete('the API server');
  if (flags.register !== undefined) {
    const reached = withPort(flags.register, server);
    const caBundle = Buffer.from(certificate.certificate).toString('base64');
    await orCannotStart(() => register(transport, reached, caBundle), 'look at the rights of its service account');
  }
  waiting.delete('the registration');
  log.info('ready', { address: server.address });
  return parts.move();
}

/** Names that the certificate is for: those by which the API server calls. */
function namesOf({ register: reached, host }: WebhookFlags): readonly [string, ...string[]] {
  if (reached === undefined || 'url' in reached) return [host === '0.0.0.0' ? 'localhost' : host, 'localhost'];
  const { name, namespace } = reached.service;
  return [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`, `${name}.${namespace}`];
}

function withPort(reached: Reached, { port }: WebhookServer): Reached {
  return 'url' in reached ? { url: `${reached.url}:${port}` } : reached;
}

async function orCannotStart<T>(start: () => Promise<T>, remedy: string): Promise<T> {
  try {
    return await start();
  } catch (error) {
    throw new CannotStart(`${told(error)}: ${remedy}`, { cause: error });
  }
}
