import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { JsonObject } from './api-object.ts';
import { certifiedUser, createAuthority } from './authority.ts';
import { discovery, openapi } from './discovery.ts';
import { answer, type RequestPath, sendJson } from './handlers.ts';
import { kubeConfigText } from './kubeconfig.ts';
import { administrator, Tokens, type User } from './rbac.ts';
import { Registry, type Sources, systemSources } from './registry.ts';
import { findResource, resources } from './resources.ts';
import { noSuchPath, StatusError, unauthorized } from './status.ts';
import { Storage } from './storage.ts';

export const serverVersion = 'v1.34.0+rekindle-fake';

export interface ApiServerOptions {
  /** 0: any free port of 127.0.0.1. */
  readonly port: number;
  /** Closes the server when aborted. */
  readonly signal?: AbortSignal;
  /** Number of changes kept for each kind, 4,096 by default: a watch that starts before them gets a 410. */
  readonly historyLength?: number;
  readonly sources?: Sources;
}

export interface ApiServer extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** A kubeconfig of the administrator as text: `new KubeConfig().loadFromString(server.kubeConfig)`. */
  readonly kubeConfig: string;
}

/** Longer than any client keeps an idle connection, so that none is closed just when a client uses it. */
const keepAliveTimeout = 600_000;
const initialNamespaces = ['default', 'kube-system'];
const healthPaths = new Set(['/healthz', '/livez', '/readyz']);

function internalError(error: unknown): JsonObject {
  const message = error instanceof Error ? error.message : String(error);
  return new StatusError(500, 'InternalError', `Internal error occurred: ${message}`).status;
}

/**
 * Serves the Kubernetes API from memory, over HTTPS on 127.0.0.1 with an authority of its own, until disposed of. Every request, except for
 * health and version, must carry a client certificate of that authority or the token of a service account.
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const sources = options.sources ?? systemSources;
  const store = new Storage(options.historyLength ?? 4096);
  const registry = new Registry({ store, sources });
  const documents: ReadonlyMap<string, JsonObject> = new Map([...discovery(serverVersion), ...openapi()]);
  const tokens = new Tokens();
  const authority = await createAuthority(sources.now());
  const [serving, client] = await Promise.all([
    authority.issueServer(['127.0.0.1', 'localhost', 'kubernetes.default.svc']),
    authority.issueClient(administrator),
  ]);

  // A certificate belongs to a connection, and to read one takes longer than most requests.
  const certified = new WeakMap<Socket, User>();
  const identify = ({ headers, socket }: IncomingMessage): User | undefined => {
    const known = certified.get(socket);
    if (known) return known;
    const certificate = socket instanceof TLSSocket && socket.authorized && socket.getPeerCertificate().raw;
    if (certificate) {
      const user = certifiedUser(certificate);
      certified.set(socket, user);
      return user;
    }
    return tokens.identify(headers.authorization?.replace(/^Bearer /, '') ?? '');
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
    const plain = pathname.replace(/\/+$/, '');
    if (healthPaths.has(plain)) {
      response.end('ok');
      return;
    }
    if (plain === '/version' && request.method === 'GET') return sendJson(response, 200, documents.get(plain) ?? {});
    const user = identify(request);
    if (!user) throw unauthorized();
    const document = documents.get(plain);
    if (document && request.method === 'GET') return sendJson(response, 200, document);
    const path = parseRequestPath(plain);
    if (!path) throw noSuchPath();
    await answer({ request, response, path, query, registry, store, user, tokens, now: () => sources.now() });
  };

  const tls = { key: serving.key, cert: serving.certificate, ca: authority.certificate };
  const optional = { requestCert: true, rejectUnauthorized: false };
  const connections = { noDelay: true, keepAlive: true, keepAliveTimeout };
  const server = createServer({ ...tls, ...optional, ...connections }, (request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else if (error instanceof StatusError) sendJson(response, error.status.code, error.status);
      else sendJson(response, 500, internalError(error));
    });
  });
  // The server itself does not know connections without a complete handshake, and would wait for them when it closes.
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const namespaces = resources.find(({ kind }) => kind === 'Namespace');
  for (const name of namespaces ? initialNamespaces : []) {
    const body = { metadata: { name } };
    if (namespaces)
      await registry.create({
        resource: namespaces,
        namespace: undefined,
        body,
        dryRun: false,
        warn: () => {},
        checkFields: async (draft) => draft,
      });
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });

  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const onAbort = (): void => void close();
  if (options.signal?.aborted) await close();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo | null)?.port ?? options.port}`;
  return {
    url,
    kubeConfig: kubeConfigText({ url, authority: authority.certificate, user: client }),
    async [Symbol.asyncDispose]() {
      options.signal?.removeEventListener('abort', onAbort);
      await close();
    },
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Parses `/api/v1/...` and `/apis/<group>/<version>/...`; undefined if no kind is served there. */
function parseRequestPath(pathname: string): RequestPath | undefined {
  const [, root, ...parts] = pathname.split('/').map(decode);
  const [group, version, ...rest] = root === 'api' ? ['', ...parts] : parts;
  if ((root !== 'api' && root !== 'apis') || group === undefined || version === undefined) return undefined;
  const [first = '', second, third, ...more] = rest;
  const namespaced = first === 'namespaces' && second !== undefined && third !== undefined;
  const inner = namespaced ? findResource(group, version, third) : undefined;
  if (namespaced && (inner || group !== '')) {
    const [name, subresource, ...beyond] = more;
    if (!inner?.namespaced || beyond.length > 0) return undefined;
    return { resource: inner, namespace: second, name, subresource };
  }
  const resource = findResource(group, version, first);
  if (!resource || more.length > 0) return undefined;
  if (resource.namespaced && second !== undefined) return undefined;
  return { resource, namespace: undefined, name: second, subresource: third };
}
