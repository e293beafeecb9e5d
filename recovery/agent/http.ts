import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

export interface HttpOptions {
  readonly host: string | undefined;
  readonly port: number;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** What the agent still waits for, and what it no longer knows; empty while it is ready. */
  readonly missing: () => readonly string[];
  /** Resolves with a reason to restart the agent, if there is one. */
  readonly defect: () => Promise<string | undefined>;
}

export interface HttpServer extends AsyncDisposable {
  /** The bound `HOST:PORT`. */
  readonly address: string;
}

/**
 * Serves `/metrics`, `/readyz` and `/livez`; `/healthz` is an older name of `/readyz`. Each of them answers 200, or 503 with the reasons, one a
 * line. What a restart would not help, such as an API server that is away, concerns `/readyz` only. Rejects if it cannot listen.
 */
export async function serveHttp({ host, port, metrics, missing, defect }: HttpOptions): Promise<HttpServer> {
  const paths: Readonly<Record<string, (response: ServerResponse) => Promise<void>>> = {
    '/readyz': async (response) => reply(response, missing()),
    '/healthz': async (response) => reply(response, missing()),
    '/livez': async (response) =>
      reply(
        response,
        [await defect()].filter((reason) => reason !== undefined),
      ),
    '/metrics': async (response) => {
      const text = await metrics.text();
      response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
    },
  };
  const server = createServer((request, response) => {
    const serve = paths[new URL(request.url ?? '/', 'http://agent').pathname];
    if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405).end();
    else if (serve === undefined) response.writeHead(404).end();
    else serve(response).catch(() => response.writeHead(500).end());
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  const bound = server.address() as AddressInfo;
  return {
    address: bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function reply(response: ServerResponse, reasons: readonly string[]): void {
  response.writeHead(reasons.length === 0 ? 200 : 503, { 'content-type': 'text/plain' });
  response.end(reasons.length === 0 ? 'ok\n' : reasons.map((reason) => `${reason}\n`).join(''));
}
