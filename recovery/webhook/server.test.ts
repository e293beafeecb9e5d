import { get } from 'node:https';
import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { createSelfSigned } from './certificate.ts';
import { serveWebhook } from './server.ts';

const hasIpv6 = networkInterfaces().lo?.some(({ family }) => family === 'IPv6') ?? false;

async function healthStatus(host: string, port: number, ca: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  get({ host, port, ca, path: '/healthz', agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode);
  }).on('error', reject);
  return promise;
}

it.for([
  ['127.0.0.1', true],
  ['::1', hasIpv6],
] as const)('without a host, the server listens on %s', async ([address, isAvailable], { skip }) => {
  skip(!isAvailable, `this machine has no ${address}`);
  const certificate = await createSelfSigned({
    names: [address],
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
  });
  await using server = await serveWebhook({
    host: undefined,
    port: 0,
    certificate,
    factsFor: () => Promise.reject(new Error('not needed')),
    waitingFor: () => [],
    onDecision: () => {},
  });
  expect(await healthStatus(address, server.port, certificate.certificate)).toBe(200);
});
