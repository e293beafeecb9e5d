import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';

export interface Address {
  /** If undefined, all addresses. */
  readonly host: string | undefined;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface HttpOptions {
  /** For the monitoring, which any pod of the cluster may read. */
  readonly open: Address;
  /** A loopback address, which only users reach who may forward a port of the pod. */
  readonly local: Address | undefined;
  /** The value of `/status` as JSON. */
  readonly status: () => unknown;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** What the agent still waits for, and what it no longer knows; empty while it is ready. */
  readonly missing: () => readonly string[];
  /** Resolves with a reason to restart the agent, if there is one. */
  readonly defect: () => Promise<string | undefined>;
}

export interface HttpServers extends AsyncDisposable {
  /** The bound `HOST:PORT` of each. */
  readonly addresses: { readonly open: string; readonly local: string | undefined };
}

type Paths = Readonly<Record<string, (response: ServerResponse) => Promise<void>>>;

/**
 * Serves `/metrics`, `/readyz` and `/livez` to the cluster; `/healthz` is an older name of `/readyz`. Each of them answers 200, or 503 with the
 * reasons, one a line. What a restart would not help, such as an API server that is away, concerns `/readyz` only. `/status`, which names
 * the pods of all tenants, is served on the loopback address. Rejects if it cannot listen.
 */
export async function serveHttp(options: HttpOptions): Promise<HttpServers> {
  const { metrics, missing, defect, status } = options;
  await using servers = new AsyncDisposableStack();
  const local =
    options.local &&
    (await listen(servers, options.local, {
      '/status': async (response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(status())}\n`);
      },
    }));
  const open = await listen(servers, options.open, {
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
  });
  const life = servers.move();
  return { addresses: { open, local }, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

/** Returns the bound `HOST:PORT`. */
async function listen(servers: AsyncDisposableStack, { host, port }: Address, paths: Paths): Promise<string> {
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
  servers.defer(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const bound = server.address() as AddressInfo;
  return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`;
}

function reply(response: ServerResponse, reasons: readonly string[]): void {
  response.writeHead(reasons.length === 0 ? 200 : 503, { 'content-type': 'text/plain' });
  response.end(reasons.length === 0 ? 'ok\n' : reasons.map((reason) => `${reason}\n`).join(''));
}
