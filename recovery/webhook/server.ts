import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { objectAt, type UncheckedObject } from '../kubernetes/json.ts';
import { formatError } from '../log.ts';
import { admit } from './admit.ts';
import type { Certificate } from './certificate.ts';
import type { ClusterState } from './facts.ts';
import { mutate } from './mutate.ts';
import type { NewPod } from './pod.ts';
import { createErrorResponse, createResponse, parseReview } from './review.ts';

export interface WebhookServerOptions {
  /** If undefined, the server listens on all addresses: on `::` with IPv4 included, or on `0.0.0.0` if IPv6 is unavailable. */
  readonly host: string | undefined;
  /** 0 picks a free port. */
  readonly port: number;
  readonly certificate: Certificate;
  readonly factsFor: (pod: NewPod) => Promise<ClusterState>;
  /** What the server still waits for; empty once it is ready. */
  readonly waitingFor: () => readonly string[];
  /** Called for each decision other than an unconditional admission. */
  readonly onDecision: (decision: { readonly path: string; readonly pod: string; readonly answer: string }) => void;
}

export interface WebhookServer extends AsyncDisposable {
  /** `HOST:PORT` as it was bound. */
  readonly address: string;
  readonly port: number;
  /** Serves another certificate to new connections. */
  useCertificate(certificate: Certificate): void;
}

export const paths = { mutate: '/mutate', validate: '/validate' } as const;

/** A pod is at most 3 MiB; a review may hold it twice. */
const limitBytes = 8 * 1024 * 1024;

/** Serves admission reviews and `/healthz` over HTTPS. Rejects if it cannot listen. */
export async function serveWebhook(options: WebhookServerOptions): Promise<WebhookServer> {
  const { key, certificate: cert } = options.certificate;
  const server = createServer({ key, cert }, (request, response) => {
    serve(options, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendText(response, 500, formatError(error));
    });
  });
  // Clients that do not speak TLS or disconnect are ignored.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(options.port, options.host, resolve);
  await promise;
  const { address, port, family } = server.address() as AddressInfo;
  return {
    address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`,
    port,
    useCertificate: ({ key, certificate: cert }) => server.setSecureContext({ key, cert }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function serve(options: WebhookServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'https://webhook');
  if (pathname === '/healthz') {
    const waiting = options.waitingFor();
    return sendText(
      response,
      waiting.length === 0 ? 200 : 503,
      waiting.length === 0 ? 'ok' : `waiting for ${waiting.join(', ')}`,
    );
  }
  if (pathname !== paths.mutate && pathname !== paths.validate) return sendText(response, 404, 'not found');
  if (request.method !== 'POST') return sendText(response, 405, 'POST an AdmissionReview');
  const body = await readBody(request);
  if (body === undefined) return sendText(response, 413, `the body is longer than ${limitBytes} bytes`);
  const review = parseReview(body);
  switch (review.kind) {
    case 'invalid':
      if (review.uid === undefined) return sendText(response, 400, review.message);
      return sendJson(response, createErrorResponse(review.uid, 400, review.message));
    case 'irrelevant':
      return sendJson(response, createResponse(review.uid, { allowed: true, warnings: [] }));
    case 'pod':
      return sendJson(response, await decide(options, pathname, review));
  }
}

/** A pod is never admitted half changed: any failure denies it with the reason. */
async function decide(
  { factsFor, onDecision }: WebhookServerOptions,
  path: string,
  { uid, pod }: { readonly uid: string; readonly pod: NewPod },
): Promise<UncheckedObject> {
  const name = formatPodName(pod);
  try {
    const facts = await factsFor(pod);
    const admission = admit(pod, facts);
    const patch = admission.allowed && path === paths.mutate ? mutate(pod, facts) : [];
    for (const warning of admission.warnings) onDecision({ path, pod: name, answer: `warned: ${warning}` });
    if (!admission.allowed) onDecision({ path, pod: name, answer: `denied: ${admission.message}` });
    else if (patch.length > 0) onDecision({ path, pod: name, answer: `patched: ${patch.length} operations` });
    return createResponse(uid, admission, patch);
  } catch (error) {
    const message = formatError(error);
    onDecision({ path, pod: name, answer: `failed: ${message}` });
    return createErrorResponse(uid, 500, `no decision about the pod was possible: ${message}`);
  }
}

function formatPodName({ namespace, pod }: NewPod): string {
  const { name, generateName = '' } = objectAt(pod, 'metadata');
  return `${namespace}/${typeof name === 'string' ? name : String(generateName)}`;
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sendText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function sendJson(response: ServerResponse, body: UncheckedObject): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
