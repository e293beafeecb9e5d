import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

export interface HttpOptions {
  readonly host: string | undefined;
  readonly port: number;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** What the agent still waits for; empty once it is ready. */
  readonly missing: () => readonly string[];
}

export interface HttpServer extends AsyncDisposable {
  /** The bound `HOST:PORT`. */
  readonly address: string;
}

/** Serves `/metrics`, `/livez` and `/healthz`, which is 503 with a reason until the agent is ready. Rejects if it cannot listen. */
export async function serveHttp({ host, port, metrics, missing }: HttpOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://agent');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405).end();
    } else if (pathname === '/healthz') {
      const waiting = missing();
      response.writeHead(waiting.length === 0 ? 200 : 503, { 'content-type': 'text/plain' });
      response.end(waiting.length === 0 ? 'ok\n' : `waiting for ${waiting.join(', ')}\n`);
    } else if (pathname === '/livez') {
      // Shows only that the event loop runs, because a restart would not help a waiting agent.
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
    } else if (pathname === '/metrics') {
      metrics.text().then(
        (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    } else {
      response.writeHead(404).end();
    }
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
