import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../kubernetes/json.ts';
import { admit } from './admit.ts';
import type { Certificate } from './certificate.ts';
import type { NewPod } from './dataset-mounts.ts';
import type { Facts } from './facts.ts';
import { mutate } from './mutate.ts';
import { answer, readReview, refuse } from './review.ts';

export interface WebhookOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly certificate: Certificate;
  readonly factsFor: (pod: NewPod) => Promise<Facts>;
  /** What is not ready yet; nothing where all is. */
  readonly missing: () => readonly string[];
  /** Takes each answer that is not plainly yes. */
  readonly onAnswer: (said: { readonly path: string; readonly pod: string; readonly answer: string }) => void;
}

export interface WebhookServer extends AsyncDisposable {
  /** `HOST:PORT` as it was bound. */
  readonly address: string;
  readonly port: number;
  /** Serves another certificate to those who connect from now on. */
  useCertificate(certificate: Certificate): void;
}

export const paths = { mutate: '/mutate', validate: '/validate' } as const;

/** A pod is at most 3 MiB; a review may hold it twice. */
const limitBytes = 8 * 1024 * 1024;

/** Serves admission reviews over HTTPS, and `/healthz`. Rejects where it cannot listen. */
export async function serveWebhook(options: WebhookOptions): Promise<WebhookServer> {
  const { key, certificate: cert } = options.certificate;
  const server = createServer({ key, cert }, (request, response) => {
    serve(options, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else plain(response, 500, error instanceof Error ? error.message : String(error));
    });
  });
  // What is no TLS, or breaks off, is the client's affair.
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

async function serve(options: WebhookOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'https://webhook');
  if (pathname === '/healthz') {
    const waiting = options.missing();
    return plain(
      response,
      waiting.length === 0 ? 200 : 503,
      waiting.length === 0 ? 'ok' : `waiting for ${waiting.join(', ')}`,
    );
  }
  if (pathname !== paths.mutate && pathname !== paths.validate) return plain(response, 404, 'not found');
  if (request.method !== 'POST') return plain(response, 405, 'POST an AdmissionReview');
  const body = await readBody(request);
  if (body === undefined) return plain(response, 413, `the body is longer than ${limitBytes} bytes`);
  const asked = readReview(body);
  switch (asked.ask) {
    case 'unreadable':
      if (asked.uid === undefined) return plain(response, 400, asked.message);
      return json(response, refuse(asked.uid, 400, asked.message));
    case 'nothing':
      return json(response, answer(asked.uid, { allowed: true, warnings: [] }));
    case 'pod':
      return json(response, await judge(options, pathname, asked));
  }
}

/** Never half a pod: whatever goes wrong, the answer is no and why. */
async function judge(
  { factsFor, onAnswer }: WebhookOptions,
  path: string,
  { uid, pod }: { readonly uid: string; readonly pod: NewPod },
): Promise<JsonObject> {
  const name = nameOf(pod);
  try {
    const facts = await factsFor(pod);
    const admission = admit(pod, facts);
    const patch = admission.allowed && path === paths.mutate ? mutate(pod, facts) : [];
    for (const warning of admission.warnings) onAnswer({ path, pod: name, answer: `warned: ${warning}` });
    if (!admission.allowed) onAnswer({ path, pod: name, answer: `denied: ${admission.denied}` });
    else if (patch.length > 0) onAnswer({ path, pod: name, answer: `patched: ${patch.length} operations` });
    return answer(uid, admission, patch);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    onAnswer({ path, pod: name, answer: `failed: ${message}` });
    return refuse(uid, 500, `the pod could not be judged: ${message}`);
  }
}

function nameOf({ namespace, pod }: NewPod): string {
  const { name, generateName = '' } = (pod.metadata ?? {}) as JsonObject;
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

function plain(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function json(response: ServerResponse, body: JsonObject): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
