import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Path and query below the cluster's server. */
  readonly path: string;
  readonly body?: { readonly contentType: string; readonly value: unknown };
  /** Ends the request, a body that is still coming too. */
  readonly signal: AbortSignal;
}

/** The API server answered with another status than 2xx. */
export class ApiError extends Error {
  readonly code = 'KUBERNETES_API';
  readonly status: number;
  constructor(status: number, { method, path }: ApiRequest, message: string) {
    super(`${method} ${path}: ${status}: ${message}`);
    this.status = status;
  }
}

/** Requests to the API server, with the credentials of a kubeconfig. */
export interface Transport {
  /** Resolves once the headers are there; the body streams. Rejects with `ApiError` where the status is not 2xx. */
  stream(request: ApiRequest): Promise<IncomingMessage>;
  /** The whole body, parsed. */
  json(request: ApiRequest): Promise<unknown>;
}

/** A silent connection is found dead after this and ten probes, one a second (`man 7 tcp`). */
const keepAliveMs = 10_000;

/**
 * Makes requests with Node's own HTTP client: the generated API of the client library costs 60 MB of models, of which an
 * agent needs none. Its KubeConfig gives TLS, tokens (read again as they rotate), proxies and exec plugins.
 */
export function createTransport(kubeConfig: KubeConfig): Transport {
  async function stream(asked: ApiRequest): Promise<IncomingMessage> {
    const cluster = kubeConfig.getCurrentCluster();
    if (cluster === null) throw new Error('the kubeconfig names no current cluster');
    const url = new URL(cluster.server.replace(/\/$/, '') + asked.path);
    const options: RequestOptions = {
      method: asked.method,
      headers: { accept: 'application/json' },
      signal: asked.signal,
    };
    await kubeConfig.applyToHTTPSOptions(options);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, options, resolve);
    request.on('error', reject);
    request.on('socket', (socket) => socket.setKeepAlive(true, keepAliveMs));
    if (asked.body === undefined) request.end();
    else request.setHeader('content-type', asked.body.contentType).end(JSON.stringify(asked.body.value));
    const response = await promise;
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    throw new ApiError(statusCode, asked, (await text(response)).slice(0, 300));
  }
  return { stream, json: async (asked) => JSON.parse(await text(await stream(asked))) };
}

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
