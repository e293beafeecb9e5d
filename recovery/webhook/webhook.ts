import type { KubeConfig } from '@kubernetes/client-node';
import { orCannotStart } from '../agent/cannot-start.ts';
import { monotonicClock as clock } from '../clock.ts';
import { createTransport } from '../kubernetes/transport.ts';
import { formatError, type Log } from '../log.ts';
import { createCertificateManager, createSecretStore, type ServingCertificate } from './certificate.ts';
import type { WebhookFlags } from './flags.ts';
import { register, type WebhookEndpoint } from './registration.ts';
import { serveWebhook, type WebhookServer } from './server.ts';
import { watchFacts } from './watch-facts.ts';

export interface StartWebhookOptions {
  readonly flags: WebhookFlags;
  readonly kubeConfig: KubeConfig;
  readonly log: Log;
  /** Between 0 and 1. */
  readonly random: () => number;
  readonly now: () => Date;
}

/** The certificate is renewed a month before it expires, possibly by another replica. */
const renewalCheckMs = 600_000;

/** Starts the webhook and registers it if requested. Resolves once it decides about pods. Rejects with `CannotStart`. */
export async function startWebhook({
  flags,
  kubeConfig,
  log,
  random,
  now,
}: StartWebhookOptions): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack();
  const transport = createTransport(kubeConfig, clock);
  const facts = parts.use(
    watchFacts({
      transport,
      mountRoot: flags.mountRoot,
      clock,
      random,
      onError: (kind, error) => log.warn('watch-failed', { kind, error: formatError(error) }),
      onRecovered: (kind) => log.info('watch-recovered', { kind }),
    }),
  );
  const { certificateSecret, register: endpoint } = flags;
  const certificates = createCertificateManager({
    names: certificateNames(flags),
    store: certificateSecret === undefined ? undefined : createSecretStore(transport, certificateSecret),
    now,
  });
  let certificate = await orCannotStart(
    () => certificates.current(),
    'check the permissions of its service account and the Secret that --certificate-secret names',
  );
  const waiting = new Set(['the API server', 'the registration']);
  const server = parts.use(
    await orCannotStart(
      () =>
        serveWebhook({
          ...flags,
          certificate,
          factsFor: async (pod) => ({ ...(await facts.factsFor(pod)), recoversSubPath: flags.recoversSubPath }),
          waitingFor: () => [...waiting],
          onDecision: ({ path, pod, answer }) => log.info('answered', { path, pod, answer }),
        }),
      'choose another --listen',
    ),
  );
  await facts.synced;
  waiting.delete('the API server');
  const trust = async ({ authorities }: ServingCertificate) => {
    if (endpoint === undefined) return;
    await register(transport, withPort(endpoint, server), Buffer.from(authorities).toString('base64'));
  };
  await orCannotStart(
    () => trust(certificate),
    'check the permissions of its service account, and deploy its configurations',
  );
  // A certificate must be trusted before it is served. A failure is retried at the next check, long before the old one expires.
  const renew = async () => {
    const next = await certificates.current();
    await trust(next);
    if (next.certificate === certificate.certificate) return;
    server.useCertificate(next);
    certificate = next;
    log.info('certificate-renewed');
  };
  const timer = setInterval(() => {
    renew().catch((error: unknown) => log.warn('certificate-not-renewed', { error: formatError(error) }));
  }, renewalCheckMs);
  parts.defer(() => clearInterval(timer));
  waiting.delete('the registration');
  log.info('ready', { address: server.address });
  return parts.move();
}

/** The names under which the API server connects. */
function certificateNames({ register: endpoint, host }: WebhookFlags): readonly [string, ...string[]] {
  if (endpoint === undefined || 'url' in endpoint) return [host ?? 'localhost', 'localhost'];
  const { name, namespace } = endpoint.service;
  return [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`, `${name}.${namespace}`];
}

function withPort(endpoint: WebhookEndpoint, { port }: WebhookServer): WebhookEndpoint {
  return 'url' in endpoint ? { url: `${endpoint.url}:${port}` } : endpoint;
}
