import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Admit } from './admission.ts';
import { answer, sendJson } from './answer.ts';
import type { JsonObject } from './api-object.ts';
import { discovery } from './discovery.ts';
import { kubeConfigText, tokenPrefix } from './kubeconfig.ts';
import { openapi } from './openapi.ts';
import { isStatusError, Registry } from './registry.ts';
import { parseRequestPath } from './request-path.ts';
import { resources } from './resources.ts';
import type { Sources } from './sources.ts';
import { systemSources } from './sources.ts';
import { noSuchPath, StatusError, unauthorized } from './status.ts';
import { Store } from './store.ts';

export const serverVersion = 'v1.34.0+rekindle-fake';

export interface ApiServerOptions {
  /** 0: any free port of 127.0.0.1. */
  readonly port: number;
  /** Bearer token that every request has to bring, health and version aside. */
  readonly token: string;
  /** Aborted: the server closes. */
  readonly signal?: AbortSignal;
  readonly admit?: readonly Admit[];
  /** Changes remembered of each kind, 4,096 by default: a watch from before them is told 410. */
  readonly historyLength?: number;
  readonly sources?: Sources;
}

export interface ApiServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** A kubeconfig as text: `new KubeConfig().loadFromString(server.kubeConfig())`. */
  kubeConfig(): string;
}

/** Longer than any client keeps an idle connection, which would otherwise be closed just when it sends on it. */
const keepAliveTimeout = 600_000;
const initialNamespaces = ['default', 'kube-system'];
const health = new Set(['/healthz', '/livez', '/readyz']);

function internalError(error: unknown): JsonObject {
  const message = error instanceof Error ? error.message : String(error);
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`).status;
}

/** Serves the Kubernetes API from memory, over HTTP on 127.0.0.1, until disposed of. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const sources = options.sources ?? systemSources;
  const store = new Store(options.historyLength ?? 4096);
  const registry = new Registry({ store, hooks: options.admit ?? [], sources });
  const documents: ReadonlyMap<string, JsonObject> = new Map([...discovery(serverVersion), ...openapi()]);
  const authorization = `Bearer ${options.token}`;
  const prefix = `${tokenPrefix(options.token)}/`;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
    const inPath = pathname.startsWith(prefix);
    const plain = (inPath ? pathname.slice(prefix.length - 1) : pathname).replace(/\/+$/, '');
    if (health.has(plain)) {
      response.end('ok');
      return;
    }
    const known = inPath || request.headers.authorization === authorization;
    if (plain !== '/version' && !known) throw unauthorized();
    const document = documents.get(plain);
    if (document && request.method === 'GET') return sendJson(response, 200, document);
    const path = parseRequestPath(plain);
    if (!path) throw noSuchPath();
    await answer({ request, response, path, query, registry, store, now: () => sources.now() });
  };

  const server = createServer({ noDelay: true, keepAlive: true, keepAliveTimeout }, (request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else if (isStatusError(error)) sendJson(response, error.status.code, error.status);
      else sendJson(response, 500, internalError(error));
    });
  });
  const namespaces = resources.find(({ kind }) => kind === 'Namespace');
  for (const name of namespaces ? initialNamespaces : []) {
    const body = { metadata: { name } };
    if (namespaces)
      await registry.create({ resource: namespaces, namespace: undefined, body, dryRun: false, warn: () => {} });
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });

  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  const onAbort = (): void => void close();
  if (options.signal?.aborted) await close();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo | null)?.port ?? options.port}`;
  return {
    url,
    kubeConfig: () => kubeConfigText({ url, token: options.token }),
    async [Symbol.asyncDispose]() {
      options.signal?.removeEventListener('abort', onAbort);
      await close();
    },
  };
}
