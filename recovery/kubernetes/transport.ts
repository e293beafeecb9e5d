import {
  type Agent,
  type AgentOptions,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Nanoseconds } from '../engine/model.ts';
import type { ClockPort } from '../engine/ports.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Path and query below the cluster's server. */
  readonly path: string;
  readonly body?: { readonly contentType: string; readonly value: unknown };
  /** Form of the response; `application/json` by default. */
  readonly accept?: string;
  /** Aborts the request, including the body of its response. */
  readonly signal: AbortSignal;
}

/** The API server responded with a status other than 2xx. */
export class ApiError extends Error {
  readonly code = 'KUBERNETES_API';
  readonly status: number;
  constructor(status: number, { method, path }: ApiRequest, message: string) {
    super(`${method} ${path}: ${status}: ${message}`);
    this.status = status;
  }
}

/** The API server accepted the request and did not respond in time. */
export class ApiTimeout extends Error {
  readonly code = 'KUBERNETES_TIMEOUT';
  constructor({ method, path }: Pick<ApiRequest, 'method' | 'path'>, seconds: number) {
    super(`${method} ${path.split('?')[0]}: no response within ${seconds} s`);
  }
}

/** Sends requests to the API server with the credentials of a kubeconfig. */
export interface Transport {
  /**
   * Resolves with the headers, while the body streams. Rejects with `ApiError` if the status is not 2xx, and with `ApiTimeout` if
   * no headers arrive in time.
   */
  stream(request: ApiRequest): Promise<IncomingMessage>;
  /** Resolves with the parsed body. The body, too, must arrive in time. */
  json(request: ApiRequest): Promise<unknown>;
}

/** A silent connection is closed after this time and ten probes, one per second (`man 7 tcp`). */
const keepAliveMs = 10_000;

/** An idle connection is closed after this time: API servers close it after 90 s, and load balancers often after 60 s. */
const idleMs = 30_000;

/** Longest time until the headers of a stream, or until the whole of any other response. */
const responseSeconds = 30;

/**
 * Sends requests with Node's HTTP client, because the models of the client library's generated API cost 60 MB of memory. The
 * library's KubeConfig provides TLS, tokens (re-read on rotation), proxies and exec plugins (docs/adr/0008).
 */
export function createTransport(kubeConfig: KubeConfig, clock: Pick<ClockPort, 'after'>): Transport {
  async function send(asked: ApiRequest): Promise<IncomingMessage> {
    const cluster = kubeConfig.getCurrentCluster();
    if (cluster === null) throw new Error('the kubeconfig names no current cluster');
    const url = new URL(cluster.server.replace(/\/$/, '') + asked.path);
    const options: RequestOptions = {
      method: asked.method,
      headers: { accept: asked.accept ?? 'application/json' },
      signal: asked.signal,
    };
    await kubeConfig.applyToHTTPSOptions(options);
    // The library's agents close each connection after its response, so that every request would begin with a TLS handshake.
    const { agent } = options as { readonly agent: Agent & { keepAlive: boolean; readonly options: AgentOptions } };
    agent.keepAlive = true;
    agent.options.timeout = idleMs;
    const response = await respond(url, options, asked);
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    throw new ApiError(statusCode, asked, (await text(response)).slice(0, 300));
  }

  /** Sends the request again if the server has closed the idle connection on which it was sent. */
  async function respond(url: URL, options: RequestOptions, asked: ApiRequest): Promise<IncomingMessage> {
    for (;;) {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      const request = (url.protocol === 'http:' ? httpRequest : httpsRequest)(url, options, resolve);
      request.on('error', reject);
      request.on('socket', (socket) => socket.setKeepAlive(true, keepAliveMs));
      if (asked.body === undefined) request.end();
      else request.setHeader('content-type', asked.body.contentType).end(JSON.stringify(asked.body.value));
      try {
        return await promise;
      } catch (error) {
        const isClosed = error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
        if (!isClosed || !request.reusedSocket) throw error;
      }
    }
  }

  /** Aborts the request if the response is not complete in time. */
  async function limit<T>(asked: ApiRequest, respond: (request: ApiRequest) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const { promise: expired, reject } = Promise.withResolvers<never>();
    using _ = clock.after((BigInt(responseSeconds) * 1_000_000_000n) as Nanoseconds, () => {
      const error = new ApiTimeout(asked, responseSeconds);
      reject(error);
      late.abort(error);
    });
    const signal = AbortSignal.any([asked.signal, late.signal]);
    return await Promise.race([respond({ ...asked, signal }), expired]);
  }

  return {
    stream: (asked) => limit(asked, send),
    json: async (asked) => JSON.parse(await limit(asked, async (request) => text(await send(request)))),
  };
}

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
