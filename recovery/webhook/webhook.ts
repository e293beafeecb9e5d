import type { KubeConfig } from '@kubernetes/client-node';
import { orCannotStart } from '../agent/cannot-start.ts';
import { monotonicClock as clock } from '../agent/clock.ts';
import { type Log, told } from '../agent/log.ts';
import { createTransport } from '../kubernetes/transport.ts';
import { createCertificateManager, createSecretStore, type ServingCertificate } from './certificate.ts';
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

/** How often the certificate is looked at: it is renewed a month before it ends, and a replica may have done it. */
const lookMs = 600_000;

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
  const { certificateSecret, register: asked } = flags;
  const certificates = createCertificateManager({
    names: namesOf(flags),
    store: certificateSecret === undefined ? undefined : createSecretStore(transport, certificateSecret),
    now,
  });
  const inSecret = 'look at the rights of its service account, and at the Secret that --certificate-secret names';
  let certificate = await orCannotStart(() => certificates.current(), inSecret);
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
  const trust = async ({ authorities }: ServingCertificate) => {
    if (asked === undefined) return;
    await register(transport, withPort(asked, server), Buffer.from(authorities).toString('base64'));
  };
  await orCannotStart(
    () => trust(certificate),
    'look at the rights of its service account, and deploy its configurations',
  );
  // First trusted, then served; one that fails is tried again at the next look, long before the old one ends.
  const renew = async () => {
    const next = await certificates.current();
    await trust(next);
    if (next.certificate === certificate.certificate) return;
    server.useCertificate(next);
    certificate = next;
    log.info('certificate-renewed');
  };
  const timer = setInterval(() => {
    renew().catch((error: unknown) => log.warn('certificate-not-renewed', { error: told(error) }));
  }, lookMs);
  parts.defer(() => clearInterval(timer));
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
