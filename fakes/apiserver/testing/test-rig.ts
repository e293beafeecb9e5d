import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import { ApiException, CoreV1Api, KubeConfig, KubernetesObjectApi, Watch } from '@kubernetes/client-node';
import type { ApiServer, ApiServerOptions } from '../api-server.ts';
import { startApiServer } from '../api-server.ts';

export interface Rig extends AsyncDisposable {
  readonly server: ApiServer;
  readonly config: KubeConfig;
  readonly core: CoreV1Api;
  readonly objects: KubernetesObjectApi;
}

/** Starts a server on a free port, with clients for it. */
export async function start(options: Partial<ApiServerOptions> = {}): Promise<Rig> {
  const server = await startApiServer({ port: 0, ...options });
  const config = new KubeConfig();
  config.loadFromString(server.kubeConfig);
  return {
    server,
    config,
    core: config.makeApiClient(CoreV1Api),
    objects: KubernetesObjectApi.makeApiClient(config),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

interface UncheckedRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a request with the credentials of a configuration, but without the client, which checks and drops fields itself. */
export async function sendRaw(
  config: KubeConfig,
  { method, path, body = '', headers }: UncheckedRequest,
): Promise<{ readonly code: number; readonly headers: IncomingHttpHeaders; readonly text: string }> {
  const options: RequestOptions = { method, headers: { ...headers } };
  await config.applyToHTTPSOptions(options);
  const sent = request(`${config.getCurrentCluster()?.server}${path}`, options);
  // Node sends no length for a DELETE otherwise.
  sent.setHeader('content-length', Buffer.byteLength(body));
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { code: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
}

/** The same server for another user. */
export function withToken(config: KubeConfig, token: string): KubeConfig {
  const other = new KubeConfig();
  const cluster = config.getCurrentCluster();
  if (cluster) other.loadFromClusterAndUser(cluster, { name: 'u', token });
  return other;
}

export const pod = (name: string, extra: Partial<V1Pod> = {}): V1Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...extra.metadata },
  spec: { containers: [{ name: 'main', image: 'nginx' }], ...extra.spec },
});

/** The `Status` with which a call is refused. */
export async function refusal(call: Promise<unknown>): Promise<{ code: number; reason: string; message: string }> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiException)) throw new Error(`not refused: ${String(error)}`);
  const raw: unknown = error.body;
  // The client returns no parsed body for a 401.
  const body: { reason?: string; message?: string } = typeof raw === 'string' ? JSON.parse(raw) : (raw ?? {});
  return { code: error.code, reason: body.reason ?? '', message: body.message ?? '' };
}

export interface ReceivedEvent {
  readonly type: string;
  readonly object: KubernetesObject & { readonly code?: number };
}

/** Opens a raw watch: `next()` resolves with its events in order, `ended` when the server ends it. */
export async function openWatch(config: KubeConfig, path: string, query: Record<string, string | number | boolean>) {
  const received: ReceivedEvent[] = [];
  let wake = (): void => {};
  const ended = Promise.withResolvers<void>();
  const controller = await new Watch(config).watch(
    path,
    query,
    (type, object) => {
      received.push({ type, object });
      wake();
    },
    () => ended.resolve(),
  );
  return {
    ended: ended.promise,
    async next(): Promise<ReceivedEvent> {
      for (;;) {
        const first = received.shift();
        if (first) return first;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    [Symbol.dispose]: () => controller.abort(),
  };
}
